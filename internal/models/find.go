// Package models has the catalogue of models. It finds a model's files on this
// machine, fetches missing ones from the Hugging Face hub, and checks files before a
// worker loads them. A model is a pair of GGUF files: text model and vision file.
package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"photodesc/internal/models/hub"
	"photodesc/internal/wording"
)

// Files is a model that is ready to be loaded.
type Files struct {
	Name   string // as written into the results
	Text   string // path of the text model, GGUF
	Vision string // path of the vision file (mmproj), GGUF
}

// Wanted is a model that a person asked for. Its files may still have to be fetched.
type Wanted struct {
	Files                // the path of a missing file is empty
	repo       string    // on the hub, as OWNER/NAME or OWNER/NAME@REVISION; empty for a person's own files and the built-in model
	weightType string    // of the text model, such as Q8_0, if one was asked for
	parts      [2]string // paths of text model and vision file in the repository
	memory     uint64    // bytes, from the catalogue; 0: not known
	trusted    bool      // the built-in model, which needs no check
}

// Options are the options of Get and Pull.
type Options struct {
	Memory uint64 // bytes that the run may use; 0: any
	// Unchecked also takes a text model and a vision file of a family that photodesc does not know.
	Unchecked bool
	Progress  hub.Progress // is told about downloads; may be nil
}

var repoName = regexp.MustCompile(`^([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*?(?:@[A-Za-z0-9][\w.-]*?)?)(?::([\w.-]+))?$`)

// Find resolves the name of a model and looks for its files on this machine. The
// name is one of the catalogue, a GGUF file given together with its vision file, or a
// repository of the hub, OWNER/NAME, OWNER/NAME:TYPE or OWNER/NAME@REVISION:TYPE. The error says which names
// there are.
func Find(model, mmproj string) (Wanted, error) {
	if IsFile(model) || mmproj != "" && strings.ContainsRune(model, filepath.Separator) {
		return ownFiles(model, mmproj)
	}
	if mmproj != "" {
		return Wanted{}, fmt.Errorf("--mmproj goes with a model file, and %q is the name of a model\n  give --model FILE.gguf --mmproj FILE", model)
	}
	if model == "builtin" {
		f, err := builtin()
		return Wanted{Files: f, trusted: true}, err
	}
	if e, ok := named(model); ok {
		w := Wanted{Files: Files{Name: e.Name}, repo: e.Repo, memory: e.Memory, parts: [2]string{e.Text.File, e.Vision.File}}
		w.locate()
		return w, nil
	}
	if m := repoName.FindStringSubmatch(model); m != nil && !strings.Contains(m[0], "..") {
		w := Wanted{Files: Files{Name: model}, repo: m[1], weightType: m[2]}
		if text, vision := choose(localFiles(w.repo), w.weightType); text != "" && vision != "" {
			w.parts = [2]string{text, vision}
			w.locate()
		}
		return w, nil
	}
	if strings.ContainsRune(model, filepath.Separator) {
		return ownFiles(model, mmproj)
	}
	hint := "there are " + strings.Join(Names(), ", ")
	if near := wording.Nearest(strings.ToLower(model), Names(), 3); near != "" {
		hint = "did you mean " + near + "?"
	}
	return Wanted{}, fmt.Errorf("there is no model %q; %s\n  or give a file: --model FILE.gguf --mmproj FILE, or a repository of the hub: --model OWNER/NAME", model, hint)
}

// IsFile tells whether a model is given as a file rather than by name.
func IsFile(model string) bool {
	if strings.EqualFold(filepath.Ext(model), ".gguf") {
		return true
	}
	info, err := os.Stat(model)
	return err == nil && info.Mode().IsRegular() && strings.ContainsRune(model, filepath.Separator)
}

func ownFiles(model, mmproj string) (Wanted, error) {
	if mmproj == "" {
		return Wanted{}, fmt.Errorf("the model file %q needs its vision file\n  give it with --mmproj FILE (usually named mmproj-…)", model)
	}
	f := Files{Name: strings.TrimSuffix(filepath.Base(model), filepath.Ext(model))}
	var err error
	if f.Text, err = existing(model); err != nil {
		return Wanted{}, err
	}
	f.Vision, err = existing(mmproj)
	return Wanted{Files: f}, err
}

// existing returns the absolute path of a file that must exist.
func existing(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("there is no model file %q", path)
	case err != nil:
		return "", fmt.Errorf("the model file cannot be read: %w", err)
	case info.IsDir():
		return "", fmt.Errorf("%q is a folder, not a GGUF model file", path)
	}
	return abs, nil
}

func (w *Wanted) locate() {
	w.Text = locate(w.repo, w.parts[0])
	w.Vision = locate(w.repo, w.parts[1])
}

// Here tells whether both files are on this machine.
func (w Wanted) Here() bool { return w.Text != "" && w.Vision != "" }

// Get fetches missing files and checks all. The error says what to do.
func (w Wanted) Get(ctx context.Context, opt Options) (Files, error) {
	if !w.Here() {
		if opt.Memory > 0 && w.memory > opt.Memory {
			// Better before a gigabyte is fetched than after.
			return Files{}, notEnoughMemory(w.Name, w.memory, opt.Memory)
		}
		if err := w.fetch(ctx, opt.Progress); err != nil {
			return Files{}, err
		}
	}
	if w.trusted {
		return w.Files, nil
	}
	if _, err := check(w.Files, opt.Memory, opt.Unchecked); err != nil {
		return Files{}, w.advise(err)
	}
	return w.Files, nil
}

// advise adds to an error how to fetch a damaged file again.
func (w Wanted) advise(err error) error {
	if w.repo == "" || strings.Contains(err.Error(), "\n") {
		return err
	}
	return fmt.Errorf("%w\n  `photodesc models pull %s` fetches it again", err, w.Name)
}

// target is the path that a repository's file is fetched to.
func (w Wanted) target(file string) (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for models: %w\n  name one with PHOTODESC_MODELS", err)
	}
	if clean := path.Clean("/" + file); clean != "/"+file {
		return "", fmt.Errorf("%s has a file with the name %q", w.repo, file)
	}
	return filepath.Join(dir, filepath.FromSlash(w.repo), filepath.FromSlash(file)), nil
}
