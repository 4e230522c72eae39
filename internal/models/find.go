// Package models knows which models there are, finds their files on this
// machine, fetches them when they are not there, and checks them before use.
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

// Files is a model ready to be loaded.
type Files struct {
	Name   string // as written into the results
	Text   string // path of the text model, GGUF
	Vision string // path of the vision file (mmproj), GGUF
}

// Wanted is a model that was asked for, on this machine or not.
type Wanted struct {
	Files        // what is not here has no path
	repo  string // on the hub; empty for files of one's own and the built-in model
	kind  string // of the text model, if one was asked for
	parts [2]string
	need  uint64 // memory, where the catalogue knows it
	known bool   // to be as the program carries it
}

// Options are how a model is made ready.
type Options struct {
	Memory   uint64       // what the run may use, in bytes; 0 is any
	Progress hub.Progress // hears of downloads; nil for none
}

var repoName = regexp.MustCompile(`^([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*?)(?::([\w.-]+))?$`)

// Find says what a name means and what of it is on this machine. The name is
// one of the catalogue, a GGUF file given together with its vision file, or a
// repository of the hub, OWNER/NAME or OWNER/NAME:TYPE.
func Find(model, mmproj string) (Wanted, error) {
	if IsFile(model) || mmproj != "" && strings.ContainsRune(model, filepath.Separator) {
		return ownFiles(model, mmproj)
	}
	if mmproj != "" {
		return Wanted{}, fmt.Errorf("--mmproj goes with a model file, and %q is the name of a model\n  give --model FILE.gguf --mmproj FILE", model)
	}
	if model == "builtin" {
		f, err := builtin()
		return Wanted{Files: f, known: true}, err
	}
	if e, ok := named(model); ok {
		w := Wanted{Files: Files{Name: e.Name}, repo: e.Repo, need: e.Memory, parts: [2]string{e.Text.File, e.Vision.File}}
		w.locate()
		return w, nil
	}
	if m := repoName.FindStringSubmatch(model); m != nil && !strings.Contains(m[0], "..") {
		w := Wanted{Files: Files{Name: model}, repo: m[1], kind: m[2]}
		if text, vision := choose(localFiles(w.repo), w.kind); text != "" && vision != "" {
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

// IsFile tells a file from a name.
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
	if f.Text, err = there(model); err != nil {
		return Wanted{}, err
	}
	f.Vision, err = there(mmproj)
	return Wanted{Files: f}, err
}

// there makes a path absolute and looks whether a file is there.
func there(path string) (string, error) {
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

// Get makes the model ready: what is not here is fetched, and all is checked.
func (w Wanted) Get(ctx context.Context, opt Options) (Files, error) {
	if !w.Here() {
		if opt.Memory > 0 && w.need > opt.Memory {
			// Said before a gigabyte is fetched, not after.
			return Files{}, notEnoughMemory(w.Name, w.need, opt.Memory)
		}
		if err := w.fetch(ctx, opt.Progress); err != nil {
			return Files{}, err
		}
	}
	if w.known {
		return w.Files, nil
	}
	if _, err := Check(w.Files, opt.Memory); err != nil {
		return Files{}, w.advise(err)
	}
	return w.Files, nil
}

// advise says how a damaged file that was fetched can be had again.
func (w Wanted) advise(err error) error {
	if w.repo == "" || strings.Contains(err.Error(), "\n") {
		return err
	}
	return fmt.Errorf("%w\n  `photodesc models pull %s` fetches it again", err, w.Name)
}

// target is where a repository's file goes to.
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
