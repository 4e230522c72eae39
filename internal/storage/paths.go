package storage

import (
	"strconv"
)

// RawPath is a path in JSON. It need not be UTF-8, so it is sent as a quoted string.
type RawPath string

// MarshalText implements encoding.TextMarshaler.
func (p RawPath) MarshalText() ([]byte, error) { return []byte(strconv.Quote(string(p))), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *RawPath) UnmarshalText(b []byte) error {
	s, err := strconv.Unquote(string(b))
	*p = RawPath(s)
	return err
}

// RawPaths converts paths.
func RawPaths(paths []string) []RawPath {
	raw := make([]RawPath, len(paths))
	for i, p := range paths {
		raw[i] = RawPath(p)
	}
	return raw
}
