package storage

import (
	"strconv"
	"strings"
)

func below(path, root string) bool {
	return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
}

// RawPath is a path that need not be UTF-8, which JSON would not let pass.
type RawPath string

func (p RawPath) MarshalText() ([]byte, error) { return []byte(strconv.Quote(string(p))), nil }

func (p *RawPath) UnmarshalText(b []byte) error {
	s, err := strconv.Unquote(string(b))
	*p = RawPath(s)
	return err
}

func RawPaths(paths []string) []RawPath {
	raw := make([]RawPath, len(paths))
	for i, p := range paths {
		raw[i] = RawPath(p)
	}
	return raw
}

// PhotoPath joins without cleaning: "a/../b" may not be "b" where there are links.
func PhotoPath(root, rel string) string { return strings.TrimSuffix(root, "/") + "/" + rel }
