// Package models knows which models there are and where their files lie.
package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Files is a model ready to be loaded.
type Files struct {
	Name   string // as written into the results
	Text   string // path of the text model, GGUF
	Vision string // path of the vision file (mmproj), GGUF
}

// Find returns the files of a model: of a name, or of a GGUF file that a
// person gives together with its vision file.
func Find(model, mmproj string) (Files, error) {
	if strings.EqualFold(filepath.Ext(model), ".gguf") || strings.ContainsRune(model, filepath.Separator) {
		return ownFiles(model, mmproj)
	}
	if mmproj != "" {
		return Files{}, fmt.Errorf("--mmproj goes with a model file, and %q is the name of a model\n  give --model FILE.gguf --mmproj FILE", model)
	}
	if model == "builtin" {
		return builtin()
	}
	return Files{}, fmt.Errorf("model %q is not on this machine\n  give the two files of a SmolVLM model: --model FILE.gguf --mmproj FILE, or use --model builtin", model)
}

func ownFiles(model, mmproj string) (Files, error) {
	if mmproj == "" {
		return Files{}, fmt.Errorf("the model file %q needs its vision file\n  give it with --mmproj FILE (usually named mmproj-…)", model)
	}
	f := Files{Name: strings.TrimSuffix(filepath.Base(model), filepath.Ext(model))}
	var err error
	if f.Text, err = checked(model); err != nil {
		return Files{}, err
	}
	f.Vision, err = checked(mmproj)
	return f, err
}

// checked makes a path absolute and looks whether a GGUF file is there.
func checked(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.Open(abs)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("there is no model file %q", path)
	}
	if err != nil {
		return "", fmt.Errorf("the model file cannot be read: %w", err)
	}
	defer f.Close()
	magic := make([]byte, 4)
	if n, _ := f.Read(magic); n < 4 || string(magic) != "GGUF" {
		return "", fmt.Errorf("%q is no GGUF model file\n  it may be an incomplete download or another format; get the GGUF version of the model", path)
	}
	return abs, nil
}
