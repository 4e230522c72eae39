package main

import (
	"strings"
)

// compiledFor says which CPU features ggml was compiled with, from llama.cpp's
// own list ("AVX2 = 1 | …").
func compiledFor(systemInfo string) []string {
	var names []string
	for _, part := range strings.Split(systemInfo, "|") {
		_, part, _ = cutLast(part, ":")
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.TrimSpace(value) == "1" {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}
