package main

import (
	"os"
	"strings"
)

// atHome writes a path below the home folder as people do.
func atHome(path string) string {
	home, err := os.UserHomeDir()
	if rest, below := strings.CutPrefix(path, home+"/"); err == nil && below && home != "" {
		return "~/" + rest
	}
	return path
}
