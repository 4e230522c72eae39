package service

import (
	"math"
	"path/filepath"
	"strings"

	"howett.net/plist"

	"photodesc/tracker"
)

// launchAgent is the part of launchd's format that is used here: see launchd.plist(5).
type launchAgent struct {
	Label                string
	ProgramArguments     []string
	EnvironmentVariables map[string]string `plist:",omitempty"`
	WorkingDirectory     string
	RunAtLoad            bool
	KeepAlive            struct{ Crashed bool }
	ThrottleInterval     int // seconds
	ExitTimeOut          int // seconds, 0 is any time
	Nice                 int
	ProcessType          string
	LowPriorityIO        bool
	StandardOutPath      string
	StandardErrorPath    string
}

// launchdPlist returns the launch agent of the run. It starts at login and again
// after a crash. A run that exited by itself is not started before the next login.
func (s *Service) launchdPlist() string {
	console := filepath.Join(s.Dir, tracker.LogsName, tracker.ConsoleName)
	agent := launchAgent{
		Label:                s.name,
		ProgramArguments:     append([]string{s.binary}, s.Args...),
		EnvironmentVariables: map[string]string{},
		WorkingDirectory:     s.Dir,
		RunAtLoad:            true,
		KeepAlive:            struct{ Crashed bool }{true},
		ThrottleInterval:     120,
		ExitTimeOut:          int(math.Ceil(s.StopTime.Seconds())),
		Nice:                 s.Nice,
		// "Background" would get little of the machine even where nobody else wants it; Nice yields to others.
		ProcessType:       "Standard",
		LowPriorityIO:     true,
		StandardOutPath:   console,
		StandardErrorPath: console,
	}
	for _, variable := range s.env {
		name, value, _ := strings.Cut(variable, "=")
		agent.EnvironmentVariables[name] = value
	}
	text, err := plist.MarshalIndent(agent, plist.XMLFormat, "\t")
	if err != nil {
		panic(err) // only for types that a property list cannot hold
	}
	return string(text) + "\n<!-- Written by photodesc service install; remove it with photodesc service remove. -->\n"
}

// plistHolds reports whether a property list can hold text. XML cannot hold most control characters, not even escaped.
func plistHolds(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	})
}
