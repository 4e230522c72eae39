package models

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

// The small model that is part of the program; builtin/README.md says what it can do.
var (
	//go:embed builtin/builtin.gguf
	builtinText []byte
	//go:embed builtin/mmproj-builtin.gguf
	builtinVision []byte
)

// BuiltinNote says what to expect of the built-in model.
const BuiltinNote = "The built-in model describes simple drawn scenes; of a real photo it tells only the main colours and forms. It is there to try photodesc out and to check a machine."

// BuiltinPrompts says what to expect where it is asked another prompt.
const BuiltinPrompts = "The built-in model was taught to describe and nothing else: its answers to other prompts make little sense."

// builtin unpacks the built-in model into the user's cache folder, because llama.cpp
// maps models from files. Workers share the mapping.
func builtin() (Files, error) {
	dir, err := builtinDir()
	if err != nil {
		return Files{}, fmt.Errorf("the built-in model cannot be unpacked: %w\n  make room in the cache folder, or set XDG_CACHE_HOME to a folder that can be written", err)
	}
	f := Files{Name: "builtin", Text: filepath.Join(dir, "builtin.gguf"), Vision: filepath.Join(dir, "mmproj-builtin.gguf")}
	for path, want := range map[string][]byte{f.Text: builtinText, f.Vision: builtinVision} {
		if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, want) {
			continue
		}
		// The file is replaced, not overwritten: a run may have the old one mapped.
		if err := durable.WriteFile(path, want, 0o644); err != nil {
			return Files{}, fmt.Errorf("the built-in model cannot be unpacked: %w", err)
		}
	}
	return f, nil
}

// builtinDir returns a folder in the user's cache folder, or among the temporary
// files if there is no home.
func builtinDir() (string, error) {
	dir, err := fsutil.CacheDir("builtin")
	if err == nil && os.MkdirAll(dir, 0o755) == nil {
		return dir, nil
	}
	dir = filepath.Join(os.TempDir(), fmt.Sprintf("photodesc-builtin-%d", os.Getuid()))
	return dir, os.MkdirAll(dir, 0o700)
}
