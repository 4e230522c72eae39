package service

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"howett.net/plist"
)

// TestLaunchAgent writes the agent of macOS, on any system.
func TestLaunchAgent(t *testing.T) {
	s := &Service{
		name: "photodesc-work-12345678", Dir: "/Users/me/my <work>", binary: "/usr/local/bin/photodesc",
		Args: []string{"-C", "/Users/me/my <work>", "run", "--prompt=What's & why \"?", "/Users/me/Pictures"},
		env:  []string{"XDG_CACHE_HOME=/Volumes/big/cache"}, StopTime: StopTime(5 * time.Minute), Nice: DefaultNice,
	}
	text := s.launchdPlist()
	var got map[string]any
	if _, err := plist.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	want := map[string]any{
		"Label":                s.name,
		"ProgramArguments":     []any{s.binary, "-C", s.Dir, "run", "--prompt=What's & why \"?", "/Users/me/Pictures"},
		"EnvironmentVariables": map[string]any{"XDG_CACHE_HOME": "/Volumes/big/cache"},
		"WorkingDirectory":     s.Dir,
		"RunAtLoad":            true,
		"KeepAlive":            map[string]any{"Crashed": true},
		"ThrottleInterval":     uint64(120),
		"ExitTimeOut":          uint64(360),
		"Nice":                 uint64(10),
		"StandardOutPath":      s.Dir + "/logs/console.log",
		"StandardErrorPath":    s.Dir + "/logs/console.log",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwant\n%v", got, want)
	}
	if s.env = nil; strings.Contains(s.launchdPlist(), "EnvironmentVariables") {
		t.Error("variables where none are set")
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
