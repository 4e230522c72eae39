package service

import (
	"bytes"
	"os/exec"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"howett.net/plist"
)

// TestLaunchAgent writes the agent of macOS, on any system. Two programs of others read it again.
func TestLaunchAgent(t *testing.T) {
	for _, odd := range []string{"my <work>", "a & b's \"album\"", "\ttab, newline\nand\r\n", "Bücher 写真 \U0001f5bc", "]]>", "$HOME;`ls`", "-C", "&amp;", " ", "%h"} {
		dir := "/Users/me/" + odd
		s := &Service{
			name: "photodesc-work-12345678", Dir: dir, binary: "/usr/local/" + odd + "/photodesc",
			Args: []string{"-C", dir, "run", "--prompt=" + odd, odd}, env: []string{"XDG_CACHE_HOME=/Volumes/" + odd + "=1"},
			StopTime: StopTime(5 * time.Minute), Nice: DefaultNice,
		}
		want := map[string]any{
			"Label":                s.name,
			"ProgramArguments":     []any{s.binary, "-C", dir, "run", "--prompt=" + odd, odd},
			"EnvironmentVariables": map[string]any{"XDG_CACHE_HOME": "/Volumes/" + odd + "=1"},
			"WorkingDirectory":     dir,
			"RunAtLoad":            true,
			"KeepAlive":            map[string]any{"Crashed": true},
			"ThrottleInterval":     uint64(120),
			"ExitTimeOut":          uint64(360),
			"Nice":                 uint64(10),
			"ProcessType":          "Standard",
			"LowPriorityIO":        true,
			"StandardOutPath":      dir + "/logs/console.log",
			"StandardErrorPath":    dir + "/logs/console.log",
		}
		text := []byte(s.launchdPlist())
		var got map[string]any
		if _, err := plist.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v: %v\nwant\n%v\nin\n%s", err, got, want, text)
		}
		if got, ok := convertPlist(t, text); ok && !reflect.DeepEqual(got, want) {
			t.Errorf("for plistutil: %v\nwant\n%v\nin\n%s", got, want, text)
		}
		if s.env = nil; strings.Contains(s.launchdPlist(), "EnvironmentVariables") {
			t.Error("variables where none are set")
		}
	}
}

// convertPlist has the system's own program read a property list: plutil on macOS, libplist's elsewhere, if it is there.
func convertPlist(t *testing.T, text []byte) (got map[string]any, ok bool) {
	t.Helper()
	c := exec.Command("plistutil", "-f", "bin", "-i", "-", "-o", "-")
	if runtime.GOOS == "darwin" {
		c = exec.Command("plutil", "-convert", "binary1", "-o", "-", "-")
	}
	if c.Err != nil {
		return nil, false
	}
	c.Stdin = bytes.NewReader(text)
	out, err := c.Output()
	if err == nil {
		_, err = plist.Unmarshal(out, &got)
	}
	if err != nil {
		t.Errorf("%v: %v in\n%s", c, err, text)
	}
	return got, true
}

// TestHolds is of characters that would make another path or command of a file that is written.
func TestHolds(t *testing.T) {
	for _, c := range []struct {
		text                 string
		unit, argument, list bool
	}{
		{"/home/ada/Bücher & <mehr> \"%h\" 'a'", true, true, true},
		{"/a\nExecStart=/bin/sh", false, true, true}, {"/a\t", false, true, true}, {"/a ", false, true, true}, {`/a\`, false, true, true},
		{"/a\x01", false, true, false}, {"/a\x00", false, false, false}, {"/a\u007f", false, true, true}, {"/a\uffff", true, true, false},
	} {
		if got := (&Service{Dir: c.text}).unitHolds(c.text); got != c.unit {
			t.Errorf("%q as a folder of a unit: %v", c.text, got)
		}
		if got := (&Service{}).unitHolds(c.text); got != c.argument {
			t.Errorf("%q as an argument of a unit: %v", c.text, got)
		}
		if got := plistHolds(c.text); got != c.list {
			t.Errorf("%q in a property list: %v", c.text, got)
		}
	}
	if _, err := (&Service{Dir: "/a\xff"}).text(); err == nil || !strings.Contains(err.Error(), "name it otherwise") {
		t.Error(err)
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
			[]string{"PrivateUsers=yes\n", "ReadWritePaths=-/home/ada/descriptions\n", "ReadWritePaths=\"-/home/ada/my cache/photodesc\"\n", "ExecStartPre=-+mkdir -p -m 700 \"/home/ada/my cache/photodesc\"\n", "ProtectSystem=strict\n", "PrivateTmp=yes\n"},
			[]string{"ReadWritePaths=-/mnt/photos"}},
		{"sidecars", Service{Dir: "/w", Reads: []string{"/mnt/a%b"}, Writes: []string{"/mnt/a%b"}}, []string{"ReadWritePaths=-/mnt/a%%b\n"}, nil},
		{"photos in /tmp", Service{Dir: "/w", Reads: []string{"/tmp/photos"}}, nil, []string{"PrivateTmp"}},
		{"workdir in /var/tmp", Service{Dir: "/var/tmp/w"}, nil, []string{"PrivateTmp"}},
		{"no folder in /tmp", Service{Dir: "/tmpfiles"}, []string{"PrivateTmp=yes\n"}, nil},
		{"no namespaces", Service{Dir: "/w", lessProtected: true}, []string{"SystemCallFilter=@system-service\n"}, []string{"PrivateUsers", "ProtectSystem", "CapabilityBoundingSet", "ReadWritePaths", "ExecStartPre"}},
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
