package models

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/internal/models/gguf/gguftest"
	"photodesc/internal/models/hub"
)

// alone gives a test a machine with no models, no caches and no network.
func alone(t *testing.T) (home string) {
	home = t.TempDir()
	for _, name := range []string{
		"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "LLAMA_CACHE", "PHOTODESC_MODELS", "XDG_CACHE_HOME",
		"HF_TOKEN", "HF_TOKEN_PATH", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
	connect = func() (*hub.Client, error) {
		c, err := hub.FromEnvironment()
		if err == nil {
			c.Pause = time.Millisecond
		}
		return c, err
	}
	return home
}

// resolve finds a model and makes it ready.
func resolve(ctx context.Context, model, mmproj string, opt Options) (Files, error) {
	w, err := Find(model, mmproj)
	if err != nil {
		return Files{}, err
	}
	return w.Get(ctx, opt)
}

func TestBuiltin(t *testing.T) {
	alone(t)
	f, err := resolve(context.Background(), "builtin", "", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{f.Text: builtinText, f.Vision: builtinVision} {
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: not what the program carries (%v)", path, err)
		}
		// A damaged copy is written again.
		if err := os.WriteFile(path, want[:len(want)/2], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Find("builtin", ""); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(f.Text); !bytes.Equal(got, builtinText) {
		t.Error("a damaged copy in the cache was not mended")
	}
	if n := len(builtinText) + len(builtinVision); n > 6_000_000 {
		t.Errorf("the built-in model is %d bytes; 6 MB is the limit", n)
	}
	// It would pass as anybody's model, too.
	if s, err := Check(f, 0); err != nil {
		t.Errorf("the built-in model is no good: %v", err)
	} else if e, _ := named("builtin"); s.Memory() > e.Memory {
		t.Errorf("the built-in model needs %d bytes", s.Memory())
	}
}

func TestOwnFiles(t *testing.T) {
	text, vision := gguftest.Tiny(t) // with go's own cache
	alone(t)
	dir := t.TempDir()
	junk, empty := filepath.Join(dir, "junk.gguf"), filepath.Join(dir, "empty.gguf")
	for path, content := range map[string]string{junk: "<html>not found</html>", empty: ""} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	photo := filepath.Join(dir, "Photo-Q8.GGUF")
	if err := os.Link(text, photo); err != nil {
		t.Fatal(err)
	}
	f, err := resolve(context.Background(), photo, vision, Options{})
	if err != nil || f.Name != "Photo-Q8" || f.Text != photo || f.Vision != vision {
		t.Errorf("%+v, %v", f, err)
	}
	for _, c := range []struct{ model, mmproj, want string }{
		{"nosuch", "", `there is no model "nosuch"; there are smolvlm, smolvlm2`},
		{"smolvml", "", "did you mean smolvlm?"},
		{"SmolVLM-256", "", "did you mean smolvlm-256m?"},
		{"../nosuch/x", vision, "there is no model file"},
		{"owner/../x", "", "needs its vision file"},
		{"smolvlm", vision, "--model FILE.gguf --mmproj FILE"},
		{text, "", "--mmproj FILE"},
		{filepath.Join(dir, "none.gguf"), vision, "there is no model file"},
		{text, filepath.Join(dir, "none.gguf"), "there is no model file"},
		{junk, vision, "is no GGUF model file"},
		{text, empty, "is no GGUF model file"},
		{text, dir, "is a folder"},
		{text, text, "is a text model, not a vision file"},
		{vision, vision, "is a vision file too"},
		{vision, text, "the other way round"},
	} {
		_, err := resolve(context.Background(), c.model, c.mmproj, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: error %v, want %q in it", c.model, c.mmproj, err, c.want)
		}
	}
}

func TestCatalogue(t *testing.T) {
	if Catalogue[0].Name != Default {
		t.Error("the default is not the first")
	}
	seen := map[string]bool{}
	for _, e := range Catalogue {
		if seen[e.Name] || e.Licence == "" || e.Good == "" || e.Memory < uint64(e.Size()) {
			t.Errorf("%+v", e)
		}
		seen[e.Name] = true
		if e.Repo == "" {
			continue
		}
		if !repoName.MatchString(e.Repo) || !strings.Contains(e.Vision.File, "mmproj") || strings.Contains(e.Text.File, "mmproj") {
			t.Errorf("%+v", e)
		}
		// Of its own files, the repository's choice is the catalogue's.
		text, vision := choose([]string{e.Vision.File, e.Text.File, "README.md"}, "")
		if text != e.Text.File || vision != e.Vision.File {
			t.Errorf("%s: %s, %s", e.Name, text, vision)
		}
	}
}

func TestChoose(t *testing.T) {
	files := []string{
		"README.md", "Model-F16.gguf", "Model-Q8_0.gguf", "Model-Q4_K_M.gguf", "Model-IQ2_XXS.gguf",
		"Model-BF16-00001-of-00002.gguf", "Model-BF16-00002-of-00002.gguf",
		"mmproj-Model-f16.gguf", "mmproj-Model-Q8_0.gguf",
	}
	for _, c := range []struct{ kind, text, vision string }{
		{"", "Model-Q4_K_M.gguf", "mmproj-Model-Q8_0.gguf"},
		{"q8_0", "Model-Q8_0.gguf", "mmproj-Model-Q8_0.gguf"},
		{"F16", "Model-F16.gguf", "mmproj-Model-Q8_0.gguf"},
		{"IQ2_XXS", "Model-IQ2_XXS.gguf", "mmproj-Model-Q8_0.gguf"},
		{"Q3_K_M", "", "mmproj-Model-Q8_0.gguf"},
	} {
		if text, vision := choose(files, c.kind); text != c.text || vision != c.vision {
			t.Errorf("%q: %q, %q", c.kind, text, vision)
		}
	}
	if text, vision := choose([]string{"a.bin", "SmolVLM.Q5_K_S.gguf", "sub/SmolVLM.fp16.gguf"}, ""); text != "SmolVLM.Q5_K_S.gguf" || vision != "" {
		t.Error(text, vision)
	}
}

// put copies a file to where a cache would have it.
func put(t *testing.T, from string, to ...string) string {
	t.Helper()
	path := filepath.Join(to...)
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCaches(t *testing.T) {
	text, vision := gguftest.Tiny(t)
	e, _ := named("smolvlm-256m")
	const commit = "b9e4379657e1450d04d02eec8e345667265b0a00"
	snapshot := func(cache string) (string, string) {
		base := filepath.Join(cache, "models--ggml-org--SmolVLM-256M-Instruct-GGUF")
		old := filepath.Join(base, "snapshots", "0000000000000000000000000000000000000000")
		put(t, text, old, e.Text.File)
		// As the hub's tools have it: files are links to blobs.
		blob := put(t, text, base, "blobs", strings.Repeat("ab", 32))
		dir := filepath.Join(base, "snapshots", commit)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(dir, e.Text.File)
		if err := os.Symlink("../../blobs/"+filepath.Base(blob), link); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(base, "refs"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(base, "refs", "main"), []byte(commit), 0o644); err != nil {
			t.Fatal(err)
		}
		return link, put(t, vision, dir, e.Vision.File)
	}
	flat := func(cache string) (string, string) {
		const prefix = "ggml-org_SmolVLM-256M-Instruct-GGUF_"
		return put(t, text, cache, prefix+e.Text.File), put(t, vision, cache, prefix+e.Vision.File)
	}
	for name, lay := range map[string]func(home string) (string, string){
		"own": func(home string) (string, string) {
			dir := filepath.Join(home, ".cache/photodesc/models/ggml-org/SmolVLM-256M-Instruct-GGUF")
			return put(t, text, dir, e.Text.File), put(t, vision, dir, e.Vision.File)
		},
		"PHOTODESC_MODELS, flat": func(home string) (string, string) {
			dir := filepath.Join(home, "models")
			t.Setenv("PHOTODESC_MODELS", dir)
			return put(t, text, dir, e.Text.File), put(t, vision, dir, e.Vision.File)
		},
		"Hugging Face": func(home string) (string, string) { return snapshot(filepath.Join(home, ".cache/huggingface/hub")) },
		"HF_HOME": func(home string) (string, string) {
			t.Setenv("HF_HOME", "~/elsewhere")
			return snapshot(filepath.Join(home, "elsewhere/hub"))
		},
		"HF_HUB_CACHE": func(home string) (string, string) {
			t.Setenv("HF_HUB_CACHE", "$HOME/hub")
			t.Setenv("HF_HOME", "/nowhere")
			return snapshot(filepath.Join(home, "hub"))
		},
		"HUGGINGFACE_HUB_CACHE": func(home string) (string, string) {
			t.Setenv("HUGGINGFACE_HUB_CACHE", filepath.Join(home, "hub"))
			return snapshot(filepath.Join(home, "hub"))
		},
		"llama.cpp": func(home string) (string, string) { return flat(filepath.Join(home, ".cache/llama.cpp")) },
		"LLAMA_CACHE": func(home string) (string, string) {
			t.Setenv("LLAMA_CACHE", filepath.Join(home, "llama"))
			return flat(filepath.Join(home, "llama"))
		},
		"LLAMA_CACHE as newer ones lay it out": func(home string) (string, string) {
			t.Setenv("LLAMA_CACHE", filepath.Join(home, "llama"))
			return snapshot(filepath.Join(home, "llama"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			wantText, wantVision := lay(alone(t))
			for _, model := range []string{"smolvlm-256m", e.Repo, e.Repo + ":Q8_0"} {
				if model != "smolvlm-256m" && strings.Contains(name, "flat") {
					continue
				}
				f, err := resolve(context.Background(), model, "", Options{})
				if err != nil || f.Text != wantText || f.Vision != wantVision || f.Name != model {
					t.Errorf("%s: %+v, %v\nwant %s, %s", model, f, err, wantText, wantVision)
				}
			}
			for _, l := range List(1 << 30) {
				if here := l.Name == "smolvlm-256m" || l.Name == "builtin"; l.Here != here {
					t.Errorf("%s is here: %v", l.Name, l.Here)
				}
			}
		})
	}
	t.Run("an incomplete file of another program", func(t *testing.T) {
		home := alone(t)
		text, _ := flat(filepath.Join(home, ".cache/llama.cpp"))
		if err := os.Truncate(text, 5000); err != nil {
			t.Fatal(err)
		}
		if w, err := Find("smolvlm-256m", ""); err != nil || w.Here() || w.Vision == "" {
			t.Errorf("%+v, %v", w, err)
		}
	})
	t.Run("an incomplete file of ours", func(t *testing.T) {
		dir := filepath.Join(alone(t), ".cache/photodesc/models", e.Repo)
		if err := os.Truncate(put(t, text, dir, e.Text.File), 5000); err != nil {
			t.Fatal(err)
		}
		put(t, vision, dir, e.Vision.File)
		_, err := resolve(context.Background(), "smolvlm-256m", "", Options{})
		if err == nil || !strings.Contains(err.Error(), "incomplete") || !strings.Contains(err.Error(), "models pull smolvlm-256m") {
			t.Error(err)
		}
	})
}

// Repositories keep their types in folders, too: what lies there is found
// without a network, and mended.
func TestFilesInFolders(t *testing.T) {
	text, vision := gguftest.Tiny(t)
	const repo, textFile, visionFile = "some/Model-GGUF", "Q8_0/Model-Q8_0.gguf", "vision/mmproj-Model-F16.gguf"
	for name, lay := range map[string]func(home string) string{
		"own": func(home string) string { return filepath.Join(home, ".cache/photodesc/models", repo) },
		"Hugging Face": func(home string) string {
			return filepath.Join(home, ".cache/huggingface/hub/models--some--Model-GGUF/snapshots/0123456789abcdef")
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := lay(alone(t))
			wantText, wantVision := put(t, text, dir, textFile), put(t, vision, dir, visionFile)
			for _, model := range []string{repo, repo + ":Q8_0"} {
				f, err := resolve(t.Context(), model, "", Options{})
				if err != nil || f.Text != wantText || f.Vision != wantVision {
					t.Errorf("%s: %+v, %v", model, f, err)
				}
			}
			if _, err := resolve(t.Context(), repo+":Q4_0", "", Options{}); err == nil {
				t.Error("a type that is not here was found")
			}
		})
	}
	t.Run("llama.cpp", func(t *testing.T) {
		dir := filepath.Join(alone(t), ".cache/llama.cpp")
		wantText := put(t, text, dir, "some_Model-GGUF_Q8_0_Model-Q8_0.gguf")
		wantVision := put(t, vision, dir, "some_Model-GGUF_vision_mmproj-Model-F16.gguf")
		if f, err := resolve(t.Context(), repo, "", Options{}); err != nil || f.Text != wantText || f.Vision != wantVision {
			t.Errorf("%+v, %v", f, err)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		dir := filepath.Join(alone(t), ".cache/photodesc/models", repo)
		damaged := put(t, text, dir, textFile)
		put(t, vision, dir, visionFile)
		if err := os.Truncate(damaged, 5000); err != nil {
			t.Fatal(err)
		}
		// The hub is away; what matters is that the damaged file was ours to remove.
		_, err := Pull(t.Context(), repo, Options{}, func(string) {})
		if _, gone := os.Stat(damaged); err == nil || !os.IsNotExist(gone) {
			t.Errorf("%v; the damaged file: %v", err, gone)
		}
	})
}
