package main

import (
	"strconv"
	"strings"
)

func below(path, root string) bool {
	return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
}

// rawPath is a path that need not be UTF-8, which JSON would not let pass.
type rawPath string

func (p rawPath) MarshalText() ([]byte, error) { return []byte(strconv.Quote(string(p))), nil }

func (p *rawPath) UnmarshalText(b []byte) error {
	s, err := strconv.Unquote(string(b))
	*p = rawPath(s)
	return err
}

func rawPaths(paths []string) []rawPath {
	raw := make([]rawPath, len(paths))
	for i, p := range paths {
		raw[i] = rawPath(p)
	}
	return raw
}
