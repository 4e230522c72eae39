package tracker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRecordAt reads each record again from the position that Follow gave, however long it and the one before are.
func TestRecordAt(t *testing.T) {
	dir := t.TempDir()
	var lines []byte
	lines = append(lines, byteOrderMark...)
	for i, words := range []int{1, 100_000, 3, 2_000, 0} {
		r := Record{Path: string(rune('a' + i)), Status: OK, Description: strings.Repeat("word ", words), Time: time.Unix(0, 0)}
		line, err := r.Line()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, line...), "no record\n"...)
	}
	if err := os.Mkdir(filepath.Join(dir, OutputsName), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, OutputsName, "image_analysis_20260101_000000.jsonl"), lines, 0o644); err != nil {
		t.Fatal(err)
	}
	found := 0
	err := Follow(dir, nil, func(file string, r Record, after Position) error {
		found++
		again, err := RecordAt(dir, file, after.Offset)
		if err != nil || again.Path != r.Path || again.Description != r.Description {
			t.Errorf("%s: %q, %v", r.Path, again.Path, err)
		}
		if _, err := RecordAt(dir, file, after.Offset-1); err == nil {
			t.Errorf("%s: a record in the middle of a line", r.Path)
		}
		if _, err := RecordAt(dir, file, int64(len(lines)+1)); err == nil {
			t.Error("a record behind the end")
		}
		return nil
	}, func(string, int64, error) {})
	if err != nil || found != 5 {
		t.Fatal(found, err)
	}
}
