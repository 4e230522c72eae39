package service

import (
	"encoding/xml"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"photodesc/tracker"
)

// launchAgent is the launch agent of the run. It begins at login and again
// after a crash; a run that ended by itself is left alone until the next login.
func (s *Service) launchAgent() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by photodesc service install; remove it with photodesc service remove. -->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>%s</string>
	<key>ProgramArguments</key>
	<array>
`, plistText(s.name))
	for _, word := range append([]string{s.binary}, s.Args...) {
		fmt.Fprintf(&b, "\t\t<string>%s</string>\n", plistText(word))
	}
	b.WriteString("\t</array>\n")
	if len(s.env) > 0 {
		b.WriteString("\t<key>EnvironmentVariables</key>\n\t<dict>\n")
		for _, e := range s.env {
			name, value, _ := strings.Cut(e, "=")
			fmt.Fprintf(&b, "\t\t<key>%s</key>\n\t\t<string>%s</string>\n", plistText(name), plistText(value))
		}
		b.WriteString("\t</dict>\n")
	}
	console := plistText(filepath.Join(s.Dir, tracker.LogsName, tracker.ConsoleName))
	fmt.Fprintf(&b, `	<key>WorkingDirectory</key>
	<string>%s</string>
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<dict>
		<key>Crashed</key>
		<true/>
	</dict>
	<key>ThrottleInterval</key>
	<integer>120</integer>
	<key>ExitTimeOut</key>
	<integer>%d</integer>
	<key>Nice</key>
	<integer>10</integer>
	<key>StandardOutPath</key>
	<string>%s</string>
	<key>StandardErrorPath</key>
	<string>%s</string>
</dict>
</plist>
`, plistText(s.Dir), int(math.Ceil(s.StopTime.Seconds())), console, console)
	return b.String()
}

func plistText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
