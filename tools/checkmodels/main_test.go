package main

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/photo"
)

func TestHas(t *testing.T) {
	for _, c := range []struct {
		text, want string
		found      bool
	}{
		{"Two red Balls.", "ball|circle", true},
		{"A ballroom.", "ball", false},
		{"It says \"EXIT\".", "exit", true},
		{"A traffic light at night", "traffic light", true},
		{"", "dog", false},
		{"dog", "", false},
		{"A glass", "glass", true},
	} {
		if has(c.text, c.want) != c.found {
			t.Errorf("%q, %q: not %v", c.text, c.want, c.found)
		}
	}
}

func TestDrawAll(t *testing.T) {
	dir := t.TempDir()
	expected, err := drawAll(dir)
	if err != nil || len(expected) != 12 {
		t.Fatal(len(expected), err)
	}
	few := &checker{expected: maps.Clone(expected)}
	few.keep(1)
	if len(few.expected) != 1 || few.expected[largePicture+".jpg"] == nil {
		t.Errorf("of all pictures it keeps %v", few.expected)
	}
	sums := map[string]string{}
	for name, words := range expected {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || len(words) == 0 || !photo.IsPhoto(name) {
			t.Errorf("%s: %q, %v", name, words, err)
		}
		if other := sums[string(b)]; other != "" {
			t.Errorf("%s is %s", name, other)
		}
		sums[string(b)] = name
	}
}

func TestReadWords(t *testing.T) {
	dir := t.TempDir()
	if _, err := readWords(dir); err == nil || !strings.Contains(err.Error(), "beach.jpg: dog") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a: b.jpg"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"x.jpg dog": "line 1: no", "\n# c\nx.jpg: dog": "line 3", "# none\n": "names no photo"} {
		if err := os.WriteFile(filepath.Join(dir, wordsName), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readWords(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What a run has written becomes a line of the table.
func TestTable(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "outputs"), 0o755); err != nil {
		t.Fatal(err)
	}
	lines := `{"path":"a.jpg","status":"ok","description":"A red ball.","finish":"stop","tokens":4,"blank":1,"seconds":{"generate":2,"total":3}}
{"path":"b.jpg","status":"failed","error":{"kind":"model","message":"the model said nothing"},"blank":3}
{"path":"c.jpg","status":"ok","description":"x x x x","finish":"repeat","tokens":16,"seconds":{"generate":2,"total":3}}
{"path":"other.jpg","status":"ok","description":"not asked for"}
{"torn`
	if err := os.WriteFile(filepath.Join(dir, "outputs", "x.jsonl"), []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	r := result{Model: "m", Fetched: true, Loads: true, Memory: 300 << 20, Catalogue: 310 << 20}
	if err := r.read(dir, map[string][]string{"a.jpg": {"red", "ball|dot", "square"}, "b.jpg": {"dog"}, "c.jpg": {"cat"}, "d.txt": {"sea"}}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := writeTable(&out, []result{r, {Model: "n", Error: "no network"}, {Model: "o", Fetched: true, Loads: true, Pictures: 12, Blank: 36, Memory: 400 << 20, Catalogue: 310 << 20}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"m      yes          2/4        2/6          4      1      5.0       2.0        300 MiB  310 MiB    right (-3%)\n", "n      not fetched  -          -            -", "n: no network", "WRONG by +29%\n", "o: answers nothing: do not use it here\n", "m: 4 pictures not as expected: a.jpg, b.jpg, c.jpg, d.txt"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	if got := peak([]byte(`{"event":"memory","worker_bytes":90}
{"event":"worker","action":"started"}
{"event":"worker","action":"ready","worker_bytes":5}
{"event":"memory","worker_bytes":9}
{torn
{}
`)); got != 9 {
		t.Error(got)
	}
	if _, err := chosen("smolvlm, nosuch"); err == nil || !strings.Contains(err.Error(), `no model "nosuch"`) {
		t.Error(err)
	}
	if list, err := chosen(""); err != nil || len(list) < 8 {
		t.Error(list, err)
	}
}

func TestStderrTail(t *testing.T) {
	for said, want := range map[string]string{
		"Fetching\nphotodesc: no room\n  make some\n": "no room\n  make some",
		"a\nb\nc\nd\ne\n": "exit: b\n  c\n  d\n  e",
	} {
		if got := stderrTail(said, errors.New("exit")); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}

// A model that is of no use makes the whole fail; stand-ins have no words.
func TestFailure(t *testing.T) {
	good := result{Model: "good", Fetched: true, Loads: true, Described: 1}
	for want, r := range map[string]result{
		"far could not be fetched":     {Model: "far"},
		"broken does not load":         {Model: "broken", Fetched: true},
		"mute described no picture; r": {Model: "mute", Fetched: true, Loads: true},
	} {
		if err := failure([]result{good, r}, false, "r"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if err := failure([]result{good, {Fetched: true, Loads: true}}, true, "r"); err != nil {
		t.Error(err)
	}
}
