package main

import (
	"fmt"
	"io"
	"os"

	"photodesc/internal/config"
	"photodesc/internal/photo"
	"photodesc/internal/ui"
)

// readList reads the list of --files-from, nil where there is none.
func readList(root string, flags *config.Flags, shard photo.Shard) (*photo.List, error) {
	name := flags.FilesFrom
	if name == "" {
		return nil, nil
	}
	var from io.Reader = os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, ui.UsageError("--files-from: cannot read %q: %w", name, photo.Reason(err))
		}
		defer f.Close()
		from = f
	}
	list, err := photo.ReadList(from, root, flags.ZeroEnds)
	if err != nil {
		return nil, ui.UsageError("--files-from %s: %w", name, err)
	}
	list.Keep(shard)
	return list, nil
}

// unusedPatterns says which patterns fit nothing that a walk has met.
func unusedPatterns(set config.Settings) (lines []string) {
	for _, p := range []struct {
		flag     string
		patterns photo.Patterns
	}{{"--exclude", set.Exclude}, {"--include", set.Include}} {
		if unused := p.patterns.Unused(); len(unused) > 0 {
			lines = append(lines, fmt.Sprintf("%s changes nothing here with %q", p.flag, unused))
		}
	}
	return lines
}
