package awake

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
)

// caffeinate starts the program of that name, which is part of macOS and exits when
// this process ends. It is compiled on every system so that it is tested on each.
func caffeinate() (string, func(), error) {
	path, err := exec.LookPath("caffeinate")
	if err != nil {
		return "", nil, errors.Join(ErrNoService, err)
	}
	cmd := exec.Command(path, "-i", "-w", strconv.Itoa(os.Getpid()))
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("caffeinate: %w", err)
	}
	return "caffeinate holds off idle sleep, but not the lid", func() {
		cmd.Process.Kill()
		cmd.Wait()
	}, nil
}
