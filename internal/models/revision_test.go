package models

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/models/gguf/gguftest"
)

// A pinned repository is asked for that revision, and nothing else counts as it.
func TestRevision(t *testing.T) {
	h, home := published(t)
	e, _ := named("smolvlm-256m")
	const commit = "b9e4379657e1450d04d02eec8e345667265b0a00"
	text, vision := gguftest.Tiny(t)
	for name, path := range map[string]string{"Old-Q8_0.gguf": text, "mmproj-Old-Q8_0.gguf": vision} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h.Put(e.Repo+"@"+commit, name, b)
	}
	t.Setenv("PHOTODESC_MODELS", filepath.Join(home, "m"))
	if _, err := resolve(t.Context(), e.Repo, "", Options{}); err != nil {
		t.Fatal(err)
	}
	for _, model := range []string{e.Repo + "@" + commit, e.Repo + "@" + commit + ":q8_0"} {
		f, err := resolve(t.Context(), model, "", Options{})
		if want := filepath.Join(home, "m", e.Repo+"@"+commit, "Old-Q8_0.gguf"); err != nil || f.Text != want || f.Name != model {
			t.Errorf("%s: %+v, %v, want %s", model, f, err, want)
		}
	}
	for model, want := range map[string]string{
		e.Repo + "@v9":                  "has no revision v9 of " + e.Repo,
		e.Repo + "@v9:Q8_0":             "has no revision v9 of " + e.Repo,
		e.Repo + "@" + commit + ":Q2_K": "no GGUF model of the type Q2_K",
		e.Repo + "@":                    "needs its vision file",
		e.Repo + "@a@b":                 "needs its vision file",
		e.Repo + "@../x":                "needs its vision file",
		"no/such@v1":                    "there is no such model",
	} {
		if _, err := resolve(t.Context(), model, "", Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", model, err, want)
		}
	}
}

// In the caches of others, a revision is a commit's folder, or what a ref names.
func TestRevisionInCaches(t *testing.T) {
	text, vision := gguftest.Tiny(t)
	const repo, older, newer = "some/Model-GGUF", "aaaa111122223333444455556666777788889999", "bbbb111122223333444455556666777788889999"
	home := alone(t)
	base := filepath.Join(home, ".cache/huggingface/hub/models--some--Model-GGUF")
	at := map[string]string{}
	for _, commit := range []string{older, newer} {
		at[commit] = put(t, text, base, "snapshots", commit, "q8", "Model-Q8_0.gguf")
		put(t, vision, base, "snapshots", commit, "q8", "mmproj-Model-Q8_0.gguf")
	}
	for ref, commit := range map[string]string{"main": newer, "v1.0": older} {
		if err := os.MkdirAll(filepath.Join(base, "refs"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(base, "refs", ref), []byte(commit), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(t, text, home, ".cache/llama.cpp", "some_Model-GGUF_Model-Q4_K_M.gguf")
	put(t, vision, home, ".cache/llama.cpp", "some_Model-GGUF_mmproj-Model-Q4_K_M.gguf")
	for revision, want := range map[string]string{
		"v1.0": at[older], older: at[older], "aaaa1111": at[older], "AAAA1111": at[older], newer: at[newer],
		"cccc1111": "", "v2.0": "", "*": "",
	} {
		w, err := Find(repo+"@"+revision, "")
		if revision == "*" {
			if err == nil {
				t.Errorf("%+v", w)
			}
			continue
		}
		if err != nil || w.Text != want || w.Here() != (want != "") {
			t.Errorf("%s: %+v, %v, want %q", revision, w, err, want)
		}
	}
}
