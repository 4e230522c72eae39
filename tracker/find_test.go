package tracker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeOutputs writes output files, oldest first, with the lines given.
func writeOutputs(t *testing.T, files ...[]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "outputs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, lines := range files {
		name := fmt.Sprintf("image_analysis_2026010%d_120000.jsonl", i+1)
		if err := os.WriteFile(filepath.Join(dir, "outputs", name), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func okLine(path, text string) string {
	return fmt.Sprintf(`{"path":%q,"status":"ok","description":%q}`, path, text)
}

func failedLine(path, message string) string {
	return fmt.Sprintf(`{"path":%q,"status":"failed","error":{"kind":"timeout","message":%q}}`, path, message)
}

func TestFind(t *testing.T) {
	dir := writeOutputs(t,
		[]string{okLine("a.jpg", "old"), okLine("in/b.jpg", "b"), failedLine("c.jpg", "first"), `{"path":"torn`, failedLine("d.jpg", "d")},
		[]string{okLine("a.jpg", "new"), failedLine("in/b.jpg", "later"), failedLine("c.jpg", "second"), okLine("d.jpg", "described"), okLine(`"in/\x00"`, "strange")},
	)
	all := func(string) bool { return true }
	for _, c := range []struct {
		name  string
		match func(string) bool
		last  int
		want  string
	}{
		{"all, each once", all, 0, "in/b.jpg=b a.jpg=new c.jpg!second d.jpg=described in/\x00=strange"},
		{"one", func(p string) bool { return p == "a.jpg" }, 0, "a.jpg=new"},
		{"a folder", func(p string) bool { return strings.HasPrefix(p, "in/") }, 0, "in/b.jpg=b in/\x00=strange"},
		{"none", func(string) bool { return false }, 0, ""},
		{"the last two", all, 2, "d.jpg=described in/\x00=strange"},
		{"more than there are", all, 9, "in/b.jpg=b a.jpg=new c.jpg!second d.jpg=described in/\x00=strange"},
	} {
		var got []string
		err := Find(dir, c.match, c.last, func(r Record) error {
			if r.Status == Failed {
				got = append(got, r.Path+"!"+r.Error.Message)
			} else {
				got = append(got, r.Path+"="+r.Description)
			}
			return nil
		})
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestFindEnds(t *testing.T) {
	dir := writeOutputs(t, []string{okLine("a.jpg", "a"), okLine("b.jpg", "b")})
	full := errors.New("no space left")
	var paths []string
	err := Find(dir, func(string) bool { return true }, 0, func(r Record) error {
		paths = append(paths, r.Path)
		return full
	})
	if !errors.Is(err, full) || !slices.Equal(paths, []string{"a.jpg"}) {
		t.Errorf("%q, %v", paths, err)
	}
	if err := Find(t.TempDir(), nil, 0, nil); err != nil {
		t.Errorf("a folder without outputs: %v", err)
	}
}
