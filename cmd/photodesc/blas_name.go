package main

import (
	"strings"
)

// blasName is the library and its version, the first words of its configuration.
func blasName(config string) string {
	words := strings.Fields(config)
	return strings.Join(words[:min(2, len(words))], " ")
}
