package tracker

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestLeftOut(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	if s, err := Peek(dir); err != nil || !s.LeftOut.IsZero() {
		t.Fatalf("%+v, %v", s.LeftOut, err)
	}
	tr.Live().SetLeftOut(LeftOut{
		Names: []LeftOutKind{{".psd", 3, "a\n.psd"}, {".jpg.part", 1, strings.Repeat("x", 600)}},
		Cloud: []LeftOutKind{{"iCloud", 1, ".a.HEIC.icloud"}},
	})
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	want := LeftOut{
		Names: []LeftOutKind{{".psd", 3, `"a\n.psd"`}, {".jpg.part", 1, ""}},
		Cloud: []LeftOutKind{{"iCloud", 1, ".a.HEIC.icloud"}},
	}
	sum, err := Summarize(dir)
	if err != nil || !reflect.DeepEqual(sum.Run.LeftOut, want) {
		t.Errorf("%+v, %v", sum.Run.LeftOut, err)
	}

	// The next run keeps what the last walk said until its own walk is done.
	tr = open(t, dir, Options{})
	if s, _ := Peek(dir); !reflect.DeepEqual(s.LeftOut, want) {
		t.Errorf("%+v", s.LeftOut)
	}
	tr.Live().SetLeftOut(LeftOut{})
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, StateName))
	if err != nil || strings.Contains(string(data), "left_out") {
		t.Errorf("%s, %v", data, err)
	}
}

func TestLeftOutFromAnywhere(t *testing.T) {
	s, err := parseState([]byte(`{"version":1,"left_out":{"names":[{"of":"x","count":-1},{"of":"y","count":2}],"folders":null}}`))
	if err != nil || len(s.LeftOut.Names) != 1 || s.LeftOut.Names[0].Of != "y" {
		t.Errorf("%+v, %v", s.LeftOut, err)
	}
	if s, err := parseState([]byte(`{"version":1}`)); err != nil || !s.LeftOut.IsZero() { // of before this was counted
		t.Errorf("%+v, %v", s.LeftOut, err)
	}
}
