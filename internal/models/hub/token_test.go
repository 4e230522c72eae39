package hub_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/models/hub"
)

// Which token the hub is shown, and that a mirror gets none that was not meant for it.
func TestToken(t *testing.T) {
	home := t.TempDir()
	write := func(content string, to ...string) string {
		path := filepath.Join(append([]string{home}, to...)...)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	usual := write("hf_usual\n", ".cache", "huggingface", "token")
	moved := write("hf_moved", "hf", "token")
	named := write(" hf_named \n", "secrets", "hub")
	long := write(strings.Repeat("x", 5000), "secrets", "long")
	lines := write("hf_a\nhf_b\n", "secrets", "lines")
	empty := write("\n", "secrets", "empty")
	for _, c := range []struct{ name, env, token, from string }{
		{"the file of the hub's tools", "", "hf_usual", usual},
		{"HF_TOKEN", "HF_TOKEN=hf_own", "hf_own", "HF_TOKEN"},
		{"the older name", "HUGGING_FACE_HUB_TOKEN=hf_older", "hf_older", "HUGGING_FACE_HUB_TOKEN"},
		{"HF_HOME", "HF_HOME=~/hf", "hf_moved", moved},
		{"HF_HOME without a token", "HF_HOME=~/nothing", "", ""},
		{"HF_TOKEN_PATH", "HF_TOKEN_PATH=$HOME/secrets/hub", "hf_named", named},
		{"XDG_CACHE_HOME", "XDG_CACHE_HOME=" + filepath.Join(home, "nowhere"), "", ""},
		{"not wanted", "HF_HUB_DISABLE_IMPLICIT_TOKEN=1", "", ""},
		{"a mirror", "HF_ENDPOINT=https://hf-mirror.com", "", ""},
		{"a mirror by a similar name", "HF_ENDPOINT=https://huggingface.co.evil.example", "", ""},
		{"the hub by its address", "HF_ENDPOINT=https://huggingface.co/", "hf_usual", usual},
		{"a mirror and HF_TOKEN", "HF_ENDPOINT=https://hf-mirror.com HF_TOKEN=hf_own", "hf_own", "HF_TOKEN"},
		{"no token in the file", "HF_TOKEN_PATH=" + long, "", ""},
		{"two lines", "HF_TOKEN_PATH=" + lines, "", ""},
		{"an empty file", "HF_TOKEN_PATH=" + empty, "", ""},
		{"a folder", "HF_TOKEN_PATH=" + home, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HOME", "HF_TOKEN_PATH", "HF_ENDPOINT", "XDG_CACHE_HOME", "HF_HUB_DISABLE_IMPLICIT_TOKEN"} {
				t.Setenv(name, "")
			}
			t.Setenv("HOME", home)
			for _, pair := range strings.Fields(c.env) {
				name, value, _ := strings.Cut(pair, "=")
				t.Setenv(name, value)
			}
			client, err := hub.FromEnvironment()
			if err != nil {
				t.Fatal(err)
			}
			from := c.from
			if filepath.IsAbs(from) {
				from = fmt.Sprintf("the token in %q", from)
			}
			if token, got := client.Token(); token != c.token || got != from {
				t.Errorf("token %q from %s, want %q from %s", token, got, c.token, from)
			}
		})
	}
}
