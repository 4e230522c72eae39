//go:build llama_system

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	llamacpp "photodesc/third_party/llama.cpp"
)

// What only a program that links the system's llama.cpp does.

// newerModel writes a small model of a family that photodesc and the llama.cpp of the Go module do not know, and returns the
// flags that name it.
func newerModel(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("go", "run", "photodesc/tools/mkmodel", "-o", dir, "tiny-phi4").CombinedOutput(); err != nil {
		t.Fatalf("mkmodel: %v\n%s", err, out)
	}
	return []string{"--model", filepath.Join(dir, "tiny-phi4.gguf"), "--mmproj", filepath.Join(dir, "mmproj-tiny-phi4.gguf")}
}

// A model of a family that photodesc does not know is refused, with what to do, and describes when that is asked for.
func TestSystemUnknownFamily(t *testing.T) {
	photos, model := "../../examples/photos", newerModel(t)
	out, err := program(t, append([]string{"-C", t.TempDir(), "run", photos}, model...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), `it is of the type "phi4"`) || !strings.Contains(string(out), "--model-unchecked tries it") {
		t.Errorf("%v\n%s", err, out)
	}
	work, model := t.TempDir(), append(model, "--model-unchecked")
	if out, err := program(t, append([]string{"-C", work, "run", photos}, model...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	words := map[string]bool{}
	for path, r := range records(t, work) {
		if r.Error != nil || r.Description == "" {
			t.Errorf("%s: %q, %+v", path, r.Description, r.Error)
		}
		words[r.Description] = true
	}
	if len(words) < 15 {
		t.Errorf("%d different descriptions of 23 photos: does the model see them?", len(words))
	}
	photo := filepath.Join(photos, "red-circle-orientation-1.jpg")
	described, err := program(t, append([]string{"describe", photo}, model...)...).Output()
	if r := records(t, work)["red-circle-orientation-1.jpg"]; err != nil || strings.TrimSpace(string(described)) != r.Description {
		t.Errorf("describe: %v, %q; run: %q", err, described, r.Description)
	}
}

// A file on which llama.cpp ends the process ends the run before a photo is opened, with what to do.
func TestSystemBrokenModel(t *testing.T) {
	model := newerModel(t)
	data, err := os.ReadFile(model[3])
	if err != nil {
		t.Fatal(err)
	}
	// A tensor that has another name is missing.
	if err := os.WriteFile(model[3], []byte(strings.Replace(string(data), "v.blk.1.attn_q.weight", "v.blk.1.attn_x.weight", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	work := t.TempDir()
	out, err := program(t, append([]string{"-C", work, "run", "--model-unchecked", "../../examples/photos"}, model...)...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "with --model-unchecked nothing is known of the model beforehand") {
		t.Errorf("%v\n%s", err, out)
	}
	if n := len(records(t, work)); n != 0 {
		t.Errorf("%d photos are charged", n)
	}
}

// A model that kills the workers of all photos ends the run, and no photo is charged.
func TestSystemCrash(t *testing.T) {
	work, photos := t.TempDir(), t.TempDir()
	for _, name := range []string{"segv-1.jpg", "segv-2.jpg"} { // see faults
		if err := copyPhoto("../../examples/photos/red-circle-orientation-1.jpg", filepath.Join(photos, name), len(name)); err != nil {
			t.Fatal(err)
		}
	}
	out, err := program(t, "-C", work, "run", "--model-unchecked", "--model", "builtin", photos).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "died without describing one photo") ||
		!strings.Contains(string(out), "no photo is marked as failed: llama.cpp probably cannot run this model") {
		t.Errorf("%v\n%s", err, out)
	}
	if n := len(records(t, work)); n != 0 {
		t.Errorf("%d photos are charged", n)
	}
}

// SmolVLM's first version, the default, is refused before it is fetched; another model of that name is not.
func TestSystemSmolVLM(t *testing.T) {
	out, err := program(t, "-C", t.TempDir(), "run", "../../examples/photos").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot be used for SmolVLM's first version") || !strings.Contains(string(out), "use --model smolvlm2") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = program(t, "doctor").CombinedOutput()
	if !strings.Contains(string(out), "use --model smolvlm2") {
		t.Errorf("doctor: %v\n%s", err, out)
	}
}

// A program that finds another version of the library than it was built for says so and calls nothing else in it.
func TestSystemOtherVersion(t *testing.T) {
	if llamacpp.Linked() != "system" {
		t.Skip("llama.cpp is part of the program")
	}
	dir := t.TempDir()
	shim := filepath.Join(dir, "shim.so")
	source := filepath.Join(dir, "shim.c")
	if err := os.WriteFile(source, []byte(`const char * llama_version(void) { return "0.99.1"; }`), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", shim, source).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	want := "the system's llama.cpp is version 0.99.1 and photodesc was built for " + llamacpp.Built()
	work := t.TempDir()
	for _, args := range [][]string{
		{"-C", work, "run", "--model", "builtin", "../../examples/photos"},
		{"describe", "--model", "builtin", "../../examples/photos/red-circle-orientation-1.jpg"},
		{"doctor"},
	} {
		c := program(t, args...)
		c.Env = append(c.Environ(), "LD_PRELOAD="+shim)
		out, err := c.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) || !strings.Contains(string(out), "make build LLAMA=system") {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
	if n := len(records(t, work)); n != 0 {
		t.Errorf("%d photos are charged", n)
	}
}
