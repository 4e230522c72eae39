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

// TestProtection writes units: what is restricted depends on where things lie and on what the run may start.
func TestProtection(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/home/ada/my cache")
	for _, c := range []struct {
		name     string
		service  Service
		has, not []string
	}{
		{"ordinary", Service{Dir: "/home/ada/descriptions", Reads: []string{"/mnt/photos"}},
			[]string{"PrivateUsers=yes\n", "ReadWritePaths=-/home/ada/descriptions\n", "ReadWritePaths=\"-/home/ada/my cache/photodesc\"\n", "ProtectSystem=strict\n", "PrivateTmp=yes\n"},
			[]string{"ReadWritePaths=-/mnt/photos"}},
		{"sidecars", Service{Dir: "/w", Reads: []string{"/mnt/a%b"}, Writes: []string{"/mnt/a%b"}}, []string{"ReadWritePaths=-/mnt/a%%b\n"}, nil},
		{"photos in /tmp", Service{Dir: "/w", Reads: []string{"/tmp/photos"}}, nil, []string{"PrivateTmp"}},
		{"workdir in /var/tmp", Service{Dir: "/var/tmp/w"}, nil, []string{"PrivateTmp"}},
		{"no folder in /tmp", Service{Dir: "/tmpfiles"}, []string{"PrivateTmp=yes\n"}, nil},
		{"no namespaces", Service{Dir: "/w", lessProtected: true}, []string{"SystemCallFilter=@system-service\n"}, []string{"PrivateUsers", "ProtectSystem", "CapabilityBoundingSet", "ReadWritePaths"}},
		{"command at the end", Service{Dir: "/w", Unprotected: "it starts anything"}, []string{"# Without systemd's protection: it starts anything.\n"}, []string{"ProtectSystem", "SystemCallFilter"}},
	} {
		unit := c.service.systemdUnit()
		for _, want := range c.has {
			if !strings.Contains(unit, want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, unit)
			}
		}
		for _, no := range c.not {
			if strings.Contains(unit, no) {
				t.Errorf("%s: %q in\n%s", c.name, no, unit)
			}
		}
	}
}
