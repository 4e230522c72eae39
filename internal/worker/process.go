package worker

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
)

// DecodeAhead is how many photos more than its slots a worker holds, so that
// pixels are ready when a slot is free.
const DecodeAhead = 2

// OwnBinary is the file this process was started from, even if an upgrade has
// put another in its place since.
func OwnBinary() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// Command is the command of a worker: this binary again.
func Command(job Job) (*exec.Cmd, error) {
	self, err := OwnBinary()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "worker")
	cmd.Args[0] = "photodesc" // what ps shows
	cmd.Env = append(Environment(os.Environ()), JobEnv+"="+string(text))
	return cmd, nil
}
