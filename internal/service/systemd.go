package service

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
)

// systemdUnit is the unit of the run. Exit code 1 is tried again, for a disk
// that is mounted late or full for a while; 2 would stay as it is, and 3 and
// 130 are no failures.
func (s *Service) systemdUnit() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Written by photodesc service install; remove it with photodesc service remove.
[Unit]
Description=photodesc: descriptions in %s
StartLimitIntervalSec=2h
StartLimitBurst=10

[Service]
Type=notify
ExecStart=%s
WorkingDirectory=%s
`, systemdPercent(s.Dir), systemdCommand(append([]string{s.binary}, s.Args...)), systemdPercent(s.Dir))
	for _, e := range s.env {
		fmt.Fprintf(&b, "Environment=%s\n", systemdQuote(systemdPercent(e)))
	}
	stop := "infinity"
	if s.StopTime > 0 {
		stop = fmt.Sprintf("%ds", int(math.Ceil(s.StopTime.Seconds())))
	}
	fmt.Fprintf(&b, `Restart=on-failure
RestartSec=2min
RestartPreventExitStatus=2
SuccessExitStatus=3 130
WatchdogSec=5min
TimeoutStartSec=10min
# The run stops its workers itself, after the photos in flight.
KillMode=mixed
TimeoutStopSec=%s
Nice=%d
%s
[Install]
WantedBy=default.target
`, stop, s.Nice, s.protection())
	return b.String()
}

// unitHolds reports whether the unit can hold text. Words of a command are quoted, folders are not: for systemd they end with
// the line, less white space there, and a backslash joins it with the next.
func (s *Service) unitHolds(text string) bool {
	if text != s.Dir && !slices.Contains(s.Writes, text) {
		return !strings.ContainsRune(text, 0)
	}
	return text == strings.TrimSpace(text) && !strings.HasSuffix(text, "\\") && !strings.ContainsFunc(text, unicode.IsControl)
}

// systemdCommand writes a command line as systemd reads it.
func systemdCommand(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		w = systemdPercent(w)
		if i > 0 { // there are no variables in the name of the program
			w = strings.ReplaceAll(w, "$", "$$")
		}
		quoted[i] = systemdQuote(w)
	}
	return strings.Join(quoted, " ")
}

// systemdPercent protects text from being taken for specifiers.
func systemdPercent(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// systemdQuote protects a word from being split.
func systemdQuote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n\r\"'\\;#") {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
