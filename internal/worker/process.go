package worker

import (
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
)

// DecodeAhead is how many more photos than slots a worker holds, so that the
// pixels are ready when a slot becomes free.
const DecodeAhead = 2

// OwnBinary returns the path of the executable of this process, which on Linux
// stays valid if an upgrade replaces the file.
func OwnBinary() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// Command returns the command of a worker, which runs this executable.
func Command(config Config) (*exec.Cmd, error) {
	self, err := OwnBinary()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "worker")
	cmd.Args[0] = "photodesc" // what ps shows
	cmd.Env = append(Environment(os.Environ()), ConfigEnv+"="+string(text))
	return cmd, nil
}
