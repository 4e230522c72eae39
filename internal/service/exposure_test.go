package service

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestExposure has systemd judge the unit that is installed and the one of the packages: both are exposed less than 3 of 10.
func TestExposure(t *testing.T) {
	if help, _ := exec.Command("systemd-analyze", "--help").CombinedOutput(); !strings.Contains(string(help), "--offline") {
		t.Skip("there is no systemd-analyze of systemd 250 or newer")
	}
	written := filepath.Join(t.TempDir(), "photodesc-w.service")
	s := Service{Dir: "/home/ada/descriptions", binary: "/usr/bin/photodesc", Args: []string{"-C", "/home/ada/descriptions", "run"}}
	if err := os.WriteFile(written, []byte(s.systemdUnit()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, unit := range []string{written, "../../packaging/photodesc@.service"} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", unit).CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if last := lines[len(lines)-1]; err != nil || !strings.Contains(last, "Overall exposure level") {
			t.Errorf("%s: %v\n%s", unit, err, out)
		} else {
			t.Log(last)
		}
	}
}

// TestPackagedUnit: the unit of the packages is protected as the one that is written, and both leave workers what they protect themselves with.
func TestPackagedUnit(t *testing.T) {
	b, err := os.ReadFile("../../packaging/photodesc@.service")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	for _, line := range slices.Concat(callsOnly, namespaces) {
		if !slices.Contains(lines, line) {
			t.Errorf("packaging/photodesc@.service has no %s", line)
		}
	}
	for _, call := range []string{"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp"} {
		if !slices.ContainsFunc(callsOnly, func(line string) bool {
			return strings.HasPrefix(line, "SystemCallFilter=") && slices.Contains(strings.Fields(line[len("SystemCallFilter="):]), call)
		}) {
			t.Errorf("a worker may not call %s", call)
		}
	}
}
