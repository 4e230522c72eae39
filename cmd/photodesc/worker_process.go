package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
)

// decodeAhead is how many photos more than its slots a worker holds, so that
// pixels are ready when a slot is free.
const decodeAhead = 2

// ownBinary is the file this process was started from, even if an upgrade has
// put another in its place since.
func ownBinary() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// workerProcess is the command of a worker: this binary again.
func workerProcess(job workerJob) (*exec.Cmd, error) {
	self, err := ownBinary()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "worker")
	cmd.Args[0] = "photodesc" // what ps shows
	cmd.Env = append(workerEnvironment(os.Environ()), workerJobEnv+"="+string(text))
	return cmd, nil
}
