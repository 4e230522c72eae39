package photo

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPicker(t *testing.T) {
	root := t.TempDir()
	base := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, age := range map[string]int{"a": 5, "b": 1, "c": 3, "d": 1, "e": 9} {
		path := filepath.Join(root, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, base, base.Add(-time.Duration(age)*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		limit  int
		newest bool
		want   string
		left   int
	}{
		{0, false, "a b c d e gone", 0},
		{2, false, "a b", 4},
		{0, true, "b d c a e gone", 0},
		{1, true, "b", 5},
		{3, true, "b d c", 3},
		{9, true, "b d c a e gone", 0},
	} {
		p := Picker{Root: root, Limit: c.limit, Newest: c.newest}
		for _, name := range []string{"a", "b", "c", "d", "e", "gone"} {
			p.Add(name)
		}
		picked, left := p.Photos()
		if got := strings.Join(picked, " "); got != c.want || left != c.left {
			t.Errorf("%+v: %s, %d left", c, got, left)
		}
	}
}

// TestPickerKeepsFew holds no more than the limit of a large folder.
func TestPickerKeepsFew(t *testing.T) {
	p := Picker{Root: t.TempDir(), Limit: 10, Newest: true}
	for i := range 10_000 {
		p.Add(fmt.Sprint("absent-", i))
		if cap(p.list) > 32 {
			t.Fatalf("it holds %d photos", cap(p.list))
		}
	}
}

func TestReadList(t *testing.T) {
	root := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text  string
		zeros bool
		want  []string
		err   string
	}{
		{"a.jpg\nb/c.jpg\n", false, []string{"a.jpg", "b/c.jpg"}, ""},
		{"./a.jpg\r\n\nb//c.jpg", false, []string{"a.jpg", "b/c.jpg"}, ""},
		{root + "/a.jpg\n" + link + "/b.jpg\n", false, []string{"a.jpg", "b.jpg"}, ""},
		{"a\nb.jpg\x00c.jpg\x00", true, []string{"a\nb.jpg", "c.jpg"}, ""},
		{"a.jpg\na.jpg\n", false, []string{"a.jpg"}, ""},
		{"\xff.jpg\n", false, []string{"\xff.jpg"}, ""},
		{"", false, nil, ""},
		{"a.jpg\n../b.jpg\n", false, nil, `line 2: "../b.jpg" is not in the photo folder`},
		{"x/../../b.jpg\n", false, nil, "line 1: "},
		{"\n\n/etc/passwd\n", false, nil, `line 3: "/etc/passwd" is not in`},
		{root + "x/a.jpg\n", false, nil, "line 1: "},
		{".\n", false, nil, "name the photos in it"},
		{"a\x00b", false, nil, "--null"},
		{strings.Repeat("../x\n", 13), false, nil, "and 3 more"},
		{strings.Repeat("x", longestLine+1), false, nil, "line 1 is longer than any path"},
		{"\ufeffa.jpg\r\nb.jpg\r\n", false, []string{"a.jpg", "b.jpg"}, ""},
	} {
		l, err := ReadList(strings.NewReader(c.text), root, c.zeros)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: %v, want %s", c.text, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if l.Len() != len(c.want) || !slices.Equal(c.want, slices.DeleteFunc(slices.Clone(c.want), func(rel string) bool { return !l.Met(rel) })) || l.Missing() != nil {
			t.Errorf("%q: %v", c.text, l.lines)
		}
	}
}

func TestMissingOfList(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("here.jpg", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := ReadList(strings.NewReader("a.jpg\nfolder\nnotes.txt\nhere.jpg\ngone.jpg\n"), root, false)
	if err != nil {
		t.Fatal(err)
	}
	l.Met("a.jpg")
	l.Met("other.jpg")
	err = l.Missing()
	for _, want := range []string{`line 2: "folder" is a folder`, `line 3: "notes.txt" is no photo`, `line 4: "here.jpg" is not in the photo folder, where`, `line 5: "gone.jpg" is not there`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
