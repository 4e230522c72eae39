package main

import (
	"os/exec"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

func init() { scriptCommands["tool"] = toolCommand }

// tool NAME: builds a program of the folder tools; it is then $WORK/NAME.
func toolCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tool NAME")
	}
	// Outside of the script's surroundings, which have no cache of Go's.
	out, err := exec.Command("go", "build", "-o", filepath.Join(ts.Getenv("WORK"), args[0]), "photodesc/tools/"+args[0]).CombinedOutput()
	if err != nil {
		ts.Fatalf("%v\n%s", err, out)
	}
}
