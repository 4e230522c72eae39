package models

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/models/gguf/gguftest"
	"photodesc/internal/models/hub/hubtest"
)

// published is a hub that has the small model as smolvlm-256m.
func published(t *testing.T) (h *hubtest.Hub, home string) {
	text, vision := gguftest.Tiny(t)
	home = alone(t)
	h = hubtest.Start()
	t.Cleanup(h.Close)
	e, _ := named("smolvlm-256m")
	for name, path := range map[string]string{e.Text.File: text, e.Vision.File: vision} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h.Put(e.Repo, name, b)
	}
	t.Setenv("HF_ENDPOINT", h.URL)
	return h, home
}

func TestResolveFetches(t *testing.T) {
	h, home := published(t)
	e, _ := named("smolvlm-256m")
	dir := filepath.Join(home, ".cache/photodesc/models", e.Repo)
	f, err := resolve(t.Context(), e.Name, "", Options{Memory: 1 << 30})
	if err != nil || f.Text != filepath.Join(dir, e.Text.File) || f.Vision != filepath.Join(dir, e.Vision.File) || f.Name != e.Name {
		t.Fatalf("%+v, %v", f, err)
	}
	before := len(h.Seen("", ""))
	if _, err := resolve(t.Context(), e.Name, "", Options{}); err != nil {
		t.Fatal(err)
	}
	if len(h.Seen("", "")) != before {
		t.Error("the hub was asked for what is here")
	}
}

func TestResolveRepository(t *testing.T) {
	h, home := published(t)
	e, _ := named("smolvlm-256m")
	t.Setenv("PHOTODESC_MODELS", filepath.Join(home, "m"))
	for _, model := range []string{e.Repo, e.Repo + ":q8_0"} {
		f, err := resolve(t.Context(), model, "", Options{})
		if err != nil || f.Text != filepath.Join(home, "m", e.Repo, e.Text.File) || f.Name != model {
			t.Errorf("%+v, %v", f, err)
		}
	}
	h.Put("some/Text-GGUF", "Text-Q4_K_M.gguf", []byte("GGUF"))
	h.Put("some/Weights", "model.safetensors", []byte("{}"))
	h.Put("bad/Names", "sub/../x-Q8_0.gguf", []byte("GGUF"))
	h.Put("bad/Names", "mmproj-x.gguf", []byte("GGUF"))
	for _, c := range []struct{ model, want string }{
		{e.Repo + ":Q2_K", "no GGUF model of the type Q2_K\n  it has: Q8_0"},
		{"some/Text-GGUF", "no vision file"},
		{"some/Weights", "often named …-GGUF"},
		{"no/such", "there is no such model"},
		{"bad/Names", "has a file with the name"},
	} {
		if _, err := resolve(t.Context(), c.model, "", Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", c.model, err, c.want)
		}
	}
}

func TestNoNetwork(t *testing.T) {
	home := alone(t)
	e, _ := named(Default)
	for _, offline := range []string{"", "1"} {
		t.Setenv("HF_HUB_OFFLINE", offline)
		_, err := resolve(t.Context(), Default, "", Options{})
		for _, want := range []string{e.Text.File, e.Vision.File, filepath.Join(home, ".cache/photodesc/models", e.Repo), "http://127.0.0.1:1/" + e.Repo, "--model builtin"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q in it", err, want)
			}
		}
		if _, err := resolve(t.Context(), "some/Repo", "", Options{}); err == nil || !strings.Contains(err.Error(), "--model builtin") {
			t.Error(err)
		}
	}
}

func TestTooLittleMemory(t *testing.T) {
	h, _ := published(t)
	_, err := resolve(t.Context(), Default, "", Options{Memory: 1500 << 20})
	if err == nil || !strings.Contains(err.Error(), "--model smolvlm-500m, or allow more with --memory") {
		t.Error(err)
	}
	_, err = resolve(t.Context(), "smolvlm-256m", "", Options{Memory: 100 << 20})
	if err == nil || !strings.HasSuffix(err.Error(), "may use 100 MiB\n  allow more with --memory") {
		t.Error(err)
	}
	if len(h.Seen("", "")) != 0 {
		t.Error("the hub was asked for what does not fit")
	}
}

// What arrives whole and is no model of ours is refused.
func TestFetchedIsChecked(t *testing.T) {
	h, _ := published(t)
	e, _ := named("smolvlm-256m")
	h.Put(e.Repo, e.Text.File, []byte("version https://git-lfs.github.com/spec/v1"))
	if _, err := resolve(t.Context(), e.Name, "", Options{}); err == nil || !strings.Contains(err.Error(), "is no GGUF model file") {
		t.Error(err)
	}
}

func TestPull(t *testing.T) {
	h, _ := published(t)
	var said []string
	say := func(s string) { said = append(said, s) }
	f, err := Pull(t.Context(), "smolvlm-256m", Options{}, say)
	if err != nil || len(said) != 0 {
		t.Fatal(err, said)
	}
	if _, err := Pull(t.Context(), "smolvlm-256m", Options{}, say); err != nil || len(said) != 2 || !strings.HasSuffix(said[0], "is here, and intact") {
		t.Errorf("%v, %q", err, said)
	}
	whole, err := os.ReadFile(f.Text)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(b []byte) []byte{
		"a bit of a weight":   func(b []byte) []byte { b[len(b)-100] ^= 1; return b },
		"a bit of the header": func(b []byte) []byte { b[40] ^= 1; return b },
		"cut":                 func(b []byte) []byte { return b[:len(b)/2] },
		"empty":               func([]byte) []byte { return nil },
	} {
		if err := os.WriteFile(f.Text, spoil(bytes.Clone(whole)), 0o644); err != nil {
			t.Fatal(err)
		}
		said = nil
		if _, err := Pull(t.Context(), "smolvlm-256m", Options{}, say); err != nil || !strings.Contains(said[0], "is damaged") {
			t.Errorf("%s: %v, %q", name, err, said)
		}
		if b, err := os.ReadFile(f.Text); err != nil || !bytes.Equal(b, whole) {
			t.Errorf("%s: not mended", name)
		}
	}
	// Without a network a damaged file is not thrown away for nothing.
	h.Close()
	if err := os.WriteFile(f.Text, whole[:1000], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Pull(t.Context(), "smolvlm-256m", Options{}, say); err == nil || !strings.Contains(err.Error(), "cannot be fetched") {
		t.Error(err)
	}
}

func TestPullStopped(t *testing.T) {
	h, _ := published(t)
	ctx, cancel := context.WithCancel(t.Context())
	h.Break(func(host string, _ int, w http.ResponseWriter, r *http.Request) bool {
		if host != "store" {
			return false
		}
		cancel()
		<-r.Context().Done()
		return true
	})
	if _, err := Pull(ctx, "smolvlm-256m", Options{}, func(string) {}); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Error(err)
	}
}
