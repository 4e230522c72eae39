package models

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFingerprint is of what the files hold, not of where they lie.
func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, size, changed int) string {
		b := make([]byte, size)
		if changed >= 0 {
			b[changed] = 1
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sum := func(text, vision string) string {
		t.Helper()
		s, err := Files{Text: text, Vision: vision}.Fingerprint()
		if err != nil || len(s) != 32 {
			t.Fatal(s, err)
		}
		return s
	}
	const small, large = 1000, 3 * samples * sampleSize
	vision := file("v", small, -1)
	of := func(name string, size, changed int) string { return sum(file(name, size, changed), vision) }
	if of("a", large, -1) != of("b", large, -1) || of("a", small, -1) != of("b", small, -1) {
		t.Error("the name counts")
	}
	seen := map[string]bool{
		of("a", large, -1): true, of("a", large+1, -1): true, of("a", large, 0): true, of("a", large, large-1): true,
		of("a", small, -1): true, of("a", small, 500): true, sum(vision, file("a", large, -1)): true,
	}
	if len(seen) != 7 {
		t.Errorf("%d of 7 models told apart", len(seen))
	}
	if _, err := (Files{Text: vision, Vision: filepath.Join(dir, "none")}).Fingerprint(); err == nil {
		t.Error("a file that is not there has a fingerprint")
	}
}
