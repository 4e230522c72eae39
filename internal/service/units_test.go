package service

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLaunchAgent writes the agent of macOS, on any system.
func TestLaunchAgent(t *testing.T) {
	s := &Service{
		name: "photodesc-work-12345678", Dir: "/Users/me/my <work>", binary: "/usr/local/bin/photodesc",
		Args: []string{"-C", "/Users/me/my <work>", "run", "--prompt=What's & why \"?", "/Users/me/Pictures"},
		env:  []string{"XDG_CACHE_HOME=/Volumes/big/cache"}, StopTime: StopTime(5 * time.Minute),
	}
	text := s.launchAgent()
	var words []string
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if c, ok := token.(xml.CharData); ok && strings.TrimSpace(string(c)) != "" {
			words = append(words, string(c))
		}
	}
	want := []string{
		"Label", s.name, "ProgramArguments", s.binary, "-C", s.Dir, "run", "--prompt=What's & why \"?", "/Users/me/Pictures",
		"EnvironmentVariables", "XDG_CACHE_HOME", "/Volumes/big/cache", "WorkingDirectory", s.Dir, "RunAtLoad", "KeepAlive", "Crashed",
		"ThrottleInterval", "120", "ExitTimeOut", "360", "Nice", "10",
		"StandardOutPath", s.Dir + "/logs/console.log", "StandardErrorPath", s.Dir + "/logs/console.log",
	}
	if !slices.Equal(words, want) {
		t.Errorf("%q\nwant\n%q", words, want)
	}
}

// TestSystemdCommand holds words to what systemd makes of them.
func TestSystemdCommand(t *testing.T) {
	got := systemdCommand([]string{"/opt/my tools/photodesc", "-C", "/a b", "--prompt=100% \"$HOME\"\n\\", "", "plain"})
	const want = `"/opt/my tools/photodesc" -C "/a b" "--prompt=100%% \"$$HOME\"\x0a\\" "" plain`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestServiceName is a file's name, and each workdir's own.
func TestServiceName(t *testing.T) {
	seen := map[string]bool{}
	for _, dir := range []string{"/", "/a", "/b/a", "/my photos/ö ü", "/" + strings.Repeat("long", 50)} {
		name := serviceName(dir)
		if seen[name] || len(name) > 64 || strings.ContainsAny(name, "/ .\\") || !strings.HasPrefix(name, "photodesc-") {
			t.Errorf("%q: %q", dir, name)
		}
		seen[name] = true
	}
}
