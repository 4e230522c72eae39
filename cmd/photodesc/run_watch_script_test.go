package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"photodesc/tracker"
)

// Commands of scripts about runs that stay.
func init() {
	until := func(ts *testscript.TestScript, what string, has func() (is bool, now string)) {
		for end := time.Now().Add(4 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			is, now := has()
			if is {
				return
			}
			if time.Now().After(end) {
				ts.Fatalf("after four minutes still not %s: %s", what, now)
			}
		}
	}
	// awaitstatus WORKDIR FIELD=VALUE…: waits until status --json has all these.
	scriptCommands["awaitstatus"] = func(ts *testscript.TestScript, neg bool, args []string) {
		until(ts, strings.Join(args[1:], " "), func() (bool, string) {
			s, err := tracker.Peek(ts.MkAbs(args[0]))
			if err != nil {
				return false, err.Error()
			}
			text, err := json.Marshal(s)
			ts.Check(err)
			var fields map[string]any
			ts.Check(json.Unmarshal(text, &fields))
			for _, a := range args[1:] {
				name, want, _ := strings.Cut(a, "=")
				if fmt.Sprint(fields[name]) != want {
					return false, string(text)
				}
			}
			return true, ""
		})
	}
	// awaittext PATTERN REGEXP: waits until a file that fits the pattern has such a text.
	scriptCommands["awaittext"] = func(ts *testscript.TestScript, neg bool, args []string) {
		want := regexp.MustCompile("(?m)" + args[1])
		until(ts, args[1], func() (bool, string) {
			all := ""
			matches, err := filepath.Glob(ts.MkAbs(args[0]))
			ts.Check(err)
			for _, m := range matches {
				b, _ := os.ReadFile(m)
				all += string(b)
			}
			return want.MatchString(all), all
		})
	}
}
