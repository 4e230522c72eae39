package tracker

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var testTime = time.Date(2025, 11, 23, 14, 30, 22, 0, time.UTC)

const testDescription = "A brown dog runs along a sandy beach near the water. The sky is blue with a few clouds. " +
	"In the background two people walk with an umbrella. The dog carries a red ball and looks at the camera. " +
	"The light suggests a late afternoon in summer."

func fixedTime() time.Time { return testTime }

// outputName is that of a run's outputs in an empty workdir.
func outputName(started time.Time) string {
	return outputPrefix + started.Format(stampLayout) + outputSuffix
}

func okRecord(path string) Record {
	return Record{
		Path: path, Status: OK, Settings: "0123456789ab", Description: testDescription, Finish: FinishStop, Model: "smolvlm",
		Prompt: "Describe this photo in a few sentences.", Width: 512, Height: 384, Tiles: 13,
		PromptTokens: 870, Tokens: 64, Attempts: 1, Time: testTime,
		Seconds: Seconds{Decode: 0.012, Encode: 1.25, Prompt: 0.5, Generate: 2, Total: 3.8},
	}
}

func failedRecord(path string, kind Kind) Record {
	return Record{
		Path: path, Status: Failed, Model: "smolvlm", Attempts: 2, Time: testTime,
		Error: &RecordError{Kind: kind, Message: "it did not work: <" + string(kind) + ">"},
	}
}

// memDir is a temporary folder in memory where the system has one, for tests
// that would wait for the disk thousands of times.
func memDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "tracker-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func open(t testing.TB, dir string, opt Options) *Tracker {
	t.Helper()
	tr, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

func add(t testing.TB, tr *Tracker, records ...Record) {
	t.Helper()
	for _, r := range records {
		if err := tr.Add(r); err != nil {
			t.Fatal(err)
		}
	}
}

func closeTracker(t testing.TB, tr *Tracker) {
	t.Helper()
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t testing.TB, data string, elem ...string) {
	t.Helper()
	path := filepath.Join(elem...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
		t.Fatal(err)
	}
}

// line is the result line of a record.
func line(t testing.TB, r Record) string {
	t.Helper()
	b, err := r.appendLine(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// outputText is what all outputs hold together.
func outputText(t testing.TB, dir string) []byte {
	t.Helper()
	files, err := outputFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, f := range files {
		all = append(all, read(t, f)...)
	}
	return all
}

// notes joins the notes of a tracker.
func notes(tr *Tracker) string {
	var b strings.Builder
	for _, n := range tr.Notes() {
		fmt.Fprintln(&b, n)
	}
	return b.String()
}

// checkFiles is what must hold of any workdir after it was opened: whole
// lines, no photo twice with the same settings, and every ok line with its progress line. It returns
// the described photos.
func checkFiles(t testing.TB, dir string) map[string]bool {
	t.Helper()
	progress := read(t, dir, ProgressName)
	if len(progress) > 0 && progress[len(progress)-1] != '\n' {
		t.Fatal("torn progress file")
	}
	done := map[string]bool{}
	for l := range bytes.Lines(progress) {
		path, err := DecodePath(strings.TrimSuffix(string(l), "\n"))
		if err != nil {
			t.Fatalf("progress line %q: %v", l, err)
		}
		if done[path] {
			t.Fatalf("%q is in the progress file twice", path)
		}
		done[path] = true
	}
	ok := map[string]string{} // settings by path
	for l := range bytes.Lines(outputText(t, dir)) {
		r, err := parseRecord(bytes.TrimSuffix(l, []byte{'\n'}))
		if err != nil || l[len(l)-1] != '\n' {
			t.Fatalf("result line %q: %v", l, err)
		}
		if r.Status == OK {
			if settingsID, described := ok[r.Path]; described && settingsID == r.Settings {
				t.Fatalf("%q has two ok lines of the same settings", r.Path)
			}
			ok[r.Path] = r.Settings
			if !done[r.Path] {
				t.Fatalf("%q is ok and not in the progress file", r.Path)
			}
		}
	}
	return done
}
