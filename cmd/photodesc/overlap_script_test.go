package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Commands of scripts about two workers of batches that follow each other.
func init() {
	// overlapped FILE N: of the N batches in these events, each but the first
	// had its worker ready before the one of the batch before left.
	scriptCommands["overlapped"] = func(ts *testscript.TestScript, neg bool, args []string) {
		want, err := strconv.Atoi(args[1])
		ts.Check(err)
		ready, exit := map[int]int{}, map[int]int{} // line by batch
		n := 0
		for line := range strings.Lines(ts.ReadFile(args[0])) {
			var e struct {
				Event, Action string
				Batch         int
			}
			ts.Check(json.Unmarshal([]byte(line), &e))
			n++
			switch {
			case e.Event != "worker":
			case e.Action == "ready":
				ready[e.Batch] = n
			case e.Action == "exit":
				exit[e.Batch] = n
			}
		}
		if len(ready) != want || len(exit) != want {
			ts.Fatalf("%d workers were ready and %d left, want %d", len(ready), len(exit), want)
		}
		for b := 2; b <= want; b++ {
			if early := ready[b] < exit[b-1]; early == neg {
				ts.Fatalf("worker of batch %d was ready at line %d, the one before left at line %d", b, ready[b], exit[b-1])
			}
		}
	}
	// says PATTERN FILE: waits until a file has a text.
	scriptCommands["says"] = func(ts *testscript.TestScript, neg bool, args []string) {
		pattern := regexp.MustCompile(args[0])
		for end := time.Now().Add(time.Minute); ; time.Sleep(2 * time.Millisecond) {
			names, err := filepath.Glob(ts.MkAbs(args[1]))
			ts.Check(err)
			for _, name := range names {
				if text, _ := os.ReadFile(name); pattern.Match(text) {
					return
				}
			}
			if time.Now().After(end) {
				ts.Fatalf("%s does not say %q within a minute", args[1], args[0])
			}
		}
	}
}
