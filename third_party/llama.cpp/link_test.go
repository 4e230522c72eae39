//go:build !llama_system

package llamacpp

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The commit in the README, the one in the sources and the module version in
// go.mod move together.
func TestLinkedVersion(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := Commit(); !regexp.MustCompile(`^[0-9a-f]{7,40}$`).MatchString(got) || !strings.Contains(string(readme), got) {
		t.Errorf("linked llama.cpp is commit %q, which README.md does not name", got)
	}
	gomod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`github.com/ollama/ollama (v\S+)`).FindSubmatch(gomod)
	if m == nil || !strings.Contains(string(readme), string(m[1])) || string(m[1]) != Module {
		t.Errorf("go.mod's ollama version %q is not the one README.md or link.go names", m)
	}
}

func TestSystemInfo(t *testing.T) {
	if s := SystemInfo(); !strings.Contains(s, "CPU") {
		t.Errorf("system info %q names no CPU backend", s)
	}
}
