package tracker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func correct(t testing.TB, dir string, c Correction) {
	t.Helper()
	if err := Correct(dir, c); err != nil {
		t.Fatal(err)
	}
}

// photosText is what Photos gives, a word for each photo.
func photosText(t testing.TB, dir string, s Select) string {
	t.Helper()
	var got []string
	for p, err := range Photos(dir, s) {
		if err != nil {
			t.Fatal(err)
		}
		text := p.Path + "=" + p.Description
		if len(p.Keywords) > 0 {
			text += fmt.Sprint(p.Keywords)
		}
		if p.Corrected() {
			text += "(" + p.ModelDescription + fmt.Sprint(p.ModelKeywords) + ")"
		}
		got = append(got, text)
	}
	return strings.Join(got, " ")
}

func TestCorrections(t *testing.T) {
	dir := writeOutputs(t, []string{okLine("a", "old"), okLine(`"b\x00\n"`, "b"), okLine("c", "c"), failedLine("d", "broken")}, []string{okLine("a", "new")})
	correct(t, dir, Correction{Path: "a", Description: "mine", Keywords: []string{"k", " l  m\n", "k", ""}})
	correct(t, dir, Correction{Path: "b\x00\n", Keywords: []string{"only"}})
	correct(t, dir, Correction{Path: "c", Description: "gone"})
	correct(t, dir, Correction{Path: "c"})
	correct(t, dir, Correction{Path: "d", Description: " \tby \x1b[31mhand\xff\r\nline "})
	correct(t, dir, Correction{Path: "nowhere", Description: "no photo"})
	want := "b\x00\n=b[only](b[]) c=c d=by [31mhand\ufffd\nline([]) a=mine[k l m](new[])"
	if got := photosText(t, dir, Select{}); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := photosText(t, dir, Select{Match: func(p string) bool { return p == "a" }}); got != "a=mine[k l m](new[])" {
		t.Error(got)
	}
	// An edit changes what is there.
	c, err := EditCorrection(dir, "a", func(c *Correction) error {
		c.Keywords = []string{}
		return nil
	})
	if err != nil || c.Description != "mine" {
		t.Error(c, err)
	}
	if got := photosText(t, dir, Select{Last: 1}); got != "a=mine(new[])" {
		t.Error(got)
	}
	// A run opens the workdir as ever, and its lock keeps no correction away.
	tr := open(t, dir, Options{})
	correct(t, dir, Correction{Path: "a", Description: "while a run works"})
	if n := notes(tr); strings.Contains(n, "correction") {
		t.Error(n)
	}
	if got := photosText(t, dir, Select{Last: 1}); got != "a=while a run works(new[])" {
		t.Error(got)
	}
}

// The words of a person count until another file was described under the path.
func TestCorrectionHolds(t *testing.T) {
	at := testTime
	ahead := time.Now().Add(clockTolerance + time.Hour) // by a clock that was set wrong
	file := &PhotoFile{Size: 10, ModTime: at}
	other := &PhotoFile{Size: 11, ModTime: at}
	for _, c := range []struct {
		name    string
		mine    *PhotoFile
		theirs  *PhotoFile
		later   time.Duration // of the record
		correct bool
	}{
		{"described before", file, other, -time.Hour, true},
		{"described at the same time", file, other, 0, true},
		{"described again", file, file, time.Hour, true},
		{"described again, rounded time", file, &PhotoFile{Size: 10, ModTime: at.Add(2 * time.Second)}, time.Hour, true},
		{"another file, described", file, other, time.Hour, false},
		{"changed", file, &PhotoFile{Size: 10, ModTime: at.Add(3 * time.Second)}, time.Hour, false},
		{"of an older version's record", file, nil, time.Hour, true},
		{"of an unknown file", nil, other, time.Hour, true},
		{"another file, by a clock far ahead", file, other, -ahead.Sub(at), false},
		{"the same file, by a clock far ahead", file, file, -ahead.Sub(at), true},
	} {
		r := okRecord("a")
		r.Time, r.File = at.Add(c.later), c.theirs
		made := at
		if c.later < -24*time.Hour {
			made, r.Time = ahead, at
		}
		p := Correction{Path: "a", File: c.mine, Description: "mine", Time: made}.Apply(r)
		if p.Corrected() != c.correct || (p.Description == "mine") != c.correct {
			t.Errorf("%s: corrected is %v", c.name, p.Corrected())
		}
	}
}

func TestCorrectionsDamaged(t *testing.T) {
	dir := writeOutputs(t, []string{okLine("a", "a"), okLine("b", "b")})
	path := filepath.Join(dir, OutputsName, CorrectionsName)
	line := func(path, text string) string { return fmt.Sprintf(`{"path":%q,"description":%q}`, path, text) }
	for _, c := range []struct {
		name, data, want string
		bad              int
	}{
		{"garbage between", line("a", "1") + "\nnothing\n{}\n[]\n\n" + line("b", "2") + "\n", "a=1(a[]) b=2(b[])", 3},
		{"torn", line("a", "1") + "\n" + line("b", "2")[:20], "a=1(a[]) b=b", 0},
		{"torn at the newline", line("a", "1") + "\n" + line("b", "2"), "a=1(a[]) b=2(b[])", 0},
		{"zeros", "\x00\x00\x00\x00\n" + line("a", "1") + "\r\n", "a=1(a[]) b=b", 1},
		{"a mark first", byteOrderMark + line("a", "1") + "\n", "a=1(a[]) b=b", 0},
		{"no UTF-8", "{\"path\":\"a\",\"description\":\"\xff\"}\n", "a=a b=b", 1},
		{"null", `{"path":"a","description":null,"keywords":null}` + "\n", "a=a b=b", 0},
		{"nothing", "", "a=a b=b", 0},
	} {
		write(t, c.data, path)
		if got := photosText(t, dir, Select{}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		all, err := ReadCorrections(dir)
		if err != nil || all.Bad != c.bad {
			t.Errorf("%s: %d bad lines, %v", c.name, all.Bad, err)
		}
		// One more is whole, and costs no other.
		correct(t, dir, Correction{Path: "a", Description: "more"})
		want := strings.NewReplacer("a=a ", "a=more(a[]) ", "a=1(", "a=more(").Replace(c.want)
		if got := photosText(t, dir, Select{}); got != want {
			t.Errorf("%s, and one more: %q, want %q", c.name, got, want)
		}
	}
}

func TestCorrectRefused(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []Correction{
		{Description: "no path"},
		{Path: "a", Description: strings.Repeat("x", maxCorrectionText+1)},
		{Path: "a", Keywords: strings.Fields(strings.Repeat("abcdefghij ", 1) + numbered(maxKeywords))},
	} {
		var refused *CorrectionError
		if err := Correct(dir, c); !errors.As(err, &refused) {
			t.Errorf("%.20q: %v", c.Path+c.Description, err)
		}
	}
	if all, err := ReadCorrections(dir); err != nil || all.Len() != 0 {
		t.Error(all, err)
	}
	// Nothing to take back.
	correct(t, dir, Correction{Path: "a"})
	if got := read(t, dir, OutputsName, CorrectionsName); len(got) != 0 {
		t.Errorf("%q", got)
	}
	os.Remove(filepath.Join(dir, OutputsName, CorrectionsName))
	if err := os.Mkdir(filepath.Join(dir, OutputsName, CorrectionsName), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Correct(dir, Correction{Path: "a", Description: "x"}); err == nil || !strings.Contains(err.Error(), "it is a folder") {
		t.Error(err)
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " w%d", i)
	}
	return b.String()
}

// A full disk keeps what is there, and the next correction is whole again.
func TestCorrectOnFullDisk(t *testing.T) {
	dir := writeOutputs(t, []string{okLine("a", "a")})
	correct(t, dir, Correction{Path: "a", Description: "kept"})
	disk := &faultFS{fault: func(op, name string) (int, error) {
		if op == "write" {
			return 20, syscall.ENOSPC
		}
		return 0, nil
	}}
	err := editCorrections(disk, dir, []string{"a"}, func(c *Correction) error { c.Description = "lost"; return nil }, nil)
	if err == nil || !strings.Contains(err.Error(), "free some space on the disk of the workdir, then correct again") {
		t.Error(err)
	}
	if got := photosText(t, dir, Select{}); got != "a=kept(a[])" {
		t.Error(got)
	}
	if all, err := ReadCorrections(dir); err != nil || all.Bad != 0 {
		t.Error(all, err)
	}
}

// Many at once lose nothing.
// Many corrections cost one reading and one line each, and all or none are written.
func TestEditCorrections(t *testing.T) {
	dir := writeOutputs(t, []string{okLine("a", "a")})
	correct(t, dir, Correction{Path: "a", Description: "mine"})
	size := func() int64 {
		info, err := os.Stat(correctionsPath(dir))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	words := map[string]string{"a": "ours", "b": "b", "c": strings.Repeat("x", maxCorrectionText+1)}
	edit := func(c *Correction) error {
		c.Description += words[c.Path]
		return nil
	}
	var refused *CorrectionError
	if err := EditCorrections(dir, []string{"a", "b", "c"}, edit, nil); !errors.As(err, &refused) || refused.Path != "c" || size() != before {
		t.Errorf("%v, %d bytes, want %d", err, size(), before)
	}
	var kept []string
	if err := EditCorrections(dir, []string{"a", "b", "d"}, edit, func(c Correction) { kept = append(kept, c.Path+"="+c.Description) }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(kept, " "); got != "a=mineours b=b d=" {
		t.Error(got)
	}
	all, err := ReadCorrections(dir)
	if err != nil || all.Len() != 2 {
		t.Fatalf("%d corrections, %v", all.Len(), err)
	}
	if a, _ := all.Of("a"); a.Description != "mineours" {
		t.Error(a)
	}
}

func TestCorrectTogether(t *testing.T) {
	dir := memDir(t)
	var lines []string
	var wait sync.WaitGroup
	for i := range 40 {
		path := fmt.Sprint("p", i)
		lines = append(lines, okLine(path, "x"))
		wait.Go(func() {
			if err := Correct(dir, Correction{Path: path, Description: strings.Repeat("y", 5000)}); err != nil {
				t.Error(err)
			}
			if _, err := EditCorrection(dir, "shared", func(c *Correction) error {
				c.Keywords = append(c.Keywords, path)
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	all, err := ReadCorrections(dir)
	if err != nil || all.Bad != 0 || all.Len() != len(lines)+1 {
		t.Errorf("%d corrections, %d bad, %v", all.Len(), all.Bad, err)
	}
	if c, _ := all.Of("shared"); len(c.Keywords) != 40 {
		t.Errorf("%d keywords of 40", len(c.Keywords))
	}
}

func TestPhotosEndsEarly(t *testing.T) {
	dir := writeOutputs(t, []string{okLine("a", "a"), okLine("b", "b")}, []string{okLine("c", "c")})
	var paths []string
	for p := range Photos(dir, Select{}) {
		if paths = append(paths, p.Path); len(paths) == 2 {
			break
		}
	}
	if !slices.Equal(paths, []string{"a", "b"}) {
		t.Error(paths)
	}
	if err := os.Mkdir(filepath.Join(dir, OutputsName, CorrectionsName), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, err := range Photos(dir, Select{}) {
		if err == nil {
			t.Error("corrections that cannot be read are no error")
		}
	}
}

func TestParseTaken(t *testing.T) {
	for _, c := range []struct {
		text  string
		want  time.Time
		zoned bool
	}{
		{"2019-07-14T12:30:05", time.Date(2019, 7, 14, 12, 30, 5, 0, time.UTC), false},
		{"2019-07-14T12:30:05+02:00", time.Date(2019, 7, 14, 10, 30, 5, 0, time.UTC), true},
		{"2019-07-14T12:30:05Z", time.Date(2019, 7, 14, 12, 30, 5, 0, time.UTC), true},
	} {
		if got, zoned, err := ParseTaken(c.text); err != nil || !got.Equal(c.want) || zoned != c.zoned {
			t.Error(c.text, got, zoned, err)
		}
	}
	for _, text := range []string{"", "2019", "2019-13-14T12:30:05", "2019-07-14 12:30:05"} {
		if _, _, err := ParseTaken(text); err == nil {
			t.Errorf("%q is a date", text)
		}
	}
}
