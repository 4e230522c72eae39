package tracker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func requestsText(t testing.TB, dir string) string {
	t.Helper()
	all, err := ReadRequests(dir)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("%d bad", all.Bad)
	for _, q := range all.Waiting() {
		text += fmt.Sprintf(" %s/%s/%s", q.Path, q.Prompt, q.Model)
	}
	return text
}

func TestRequests(t *testing.T) {
	dir := t.TempDir()
	ask := func(want int, list ...Request) {
		t.Helper()
		if n, err := AddRequests(dir, list); n != want || err != nil {
			t.Error(n, err)
		}
	}
	ask(2, Request{Path: "b\x00\n\xff"}, Request{Path: "a", Prompt: " short\x1b ", Model: "m"}, Request{Path: "a", Prompt: "short", Model: "m"})
	ask(0, Request{Path: "a", Prompt: "short", Model: "m"})
	ask(1, Request{Path: "a", Prompt: "scene"})
	if got, want := requestsText(t, dir), "0 bad b\x00\n\xff// a/short/m a/scene/"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	all, _ := ReadRequests(dir)
	if n := len(all.For("m")); n != 3 {
		t.Error(n)
	}
	list := all.For("other")
	if len(list) != 2 {
		t.Fatal(list)
	}
	for range 2 { // a second answer changes nothing
		if err := AnswerRequests(dir, RequestAnswer{ID: list[0].ID, Done: RequestDescribed}, RequestAnswer{ID: list[1].ID, Done: RequestFailed, Why: "w\nhy"}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := CancelRequests(dir, func(Request) bool { return true }); n != 1 || err != nil {
		t.Error(n, err)
	}
	all, _ = ReadRequests(dir)
	if c := all.Counts(); c.Waiting != 0 || c.Described != 1 || c.Failed != 1 || all.Count(RequestCancelled) != 1 {
		t.Errorf("%+v", c)
	}
	if q, a, ok := all.Of("a"); !ok || q.Prompt != "scene" || a.Done != RequestFailed || a.Why != "w\nhy" {
		t.Error(q, a, ok)
	}
	ask(1, Request{Path: "a", Prompt: "scene"}) // once more
	for _, bad := range []Request{{}, {Path: "a", Prompt: strings.Repeat("x", maxRequestText+1)}, {Path: "a", Model: "\xff"}} {
		var refused *RequestError
		if _, err := AddRequests(dir, []Request{{Path: "c"}, bad}); !errors.As(err, &refused) {
			t.Error(bad, err)
		}
	}
	if got := requestsText(t, dir); got != "0 bad a/scene/" {
		t.Error(got)
	}
}

// What others write, or a kill leaves, costs no other request.
func TestRequestsDamaged(t *testing.T) {
	line := func(id, path string) string { return fmt.Sprintf(`{"id":%q,"path":%q}`, strings.Repeat(id, 16), path) }
	end := func(id, done string) string { return fmt.Sprintf(`{"id":%q,"done":%q}`, strings.Repeat(id, 16), done) }
	for _, c := range []struct{ name, data, want string }{
		{"garbage", line("1", "a") + "\nnothing\n{}\n[]\nnull\n\n" + line("2", "b") + "\n", "4 bad a// b//"},
		{"torn", line("1", "a") + "\n" + line("2", "b")[:20], "0 bad a//"},
		{"torn at the newline", line("1", "a") + "\n" + line("2", "b"), "0 bad a// b//"},
		{"the same ID", line("1", "a") + "\n" + line("1", "b") + "\n", "1 bad a//"},
		{"ended before it was made", end("1", "described") + "\n" + line("1", "a") + "\n", "0 bad a//"},
		{"ended in an unknown way", line("1", "a") + "\n" + end("1", "eaten") + "\n", "1 bad a//"},
		{"ended by a torn line", line("1", "a") + "\n" + end("1", "failed")[:30], "0 bad a//"},
		{"zeros, line ends of others", "\x00\x00\n" + line("1", "a") + "\r\n", "1 bad a//"},
		{"no ID", `{"id":"../../../../etc","path":"a"}` + "\n", "1 bad"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, RequestsName)
		if err := os.WriteFile(path, []byte(c.data), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := requestsText(t, dir); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		// What is added is a line of its own.
		if n, err := AddRequests(dir, []Request{{Path: "new"}}); n != 1 || err != nil {
			t.Error(c.name, n, err)
		}
		if got := requestsText(t, dir); !strings.HasSuffix(got, " new//") {
			t.Errorf("%s: %q", c.name, got)
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, RequestsName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := AddRequests(dir, []Request{{Path: "a"}}); err == nil {
		t.Error("a folder was written to")
	}
	if s, err := Peek(dir); err != nil || s.Requests == nil || s.Requests.Damaged != 1 {
		t.Error(s.Requests, err)
	}
}

// Pages and runs that write at the same time lose nothing.
func TestRequestsTogether(t *testing.T) {
	dir := t.TempDir()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 5 {
				if _, err := AddRequests(dir, []Request{{Path: fmt.Sprint(i, j)}}); err != nil {
					t.Error(err)
				}
				all, err := ReadRequests(dir)
				if err != nil {
					t.Error(err)
				}
				for _, q := range all.Waiting() {
					if q.Path == fmt.Sprint(i, j) && j > 0 {
						if err := AnswerRequests(dir, RequestAnswer{ID: q.ID, Done: RequestDescribed}); err != nil {
							t.Error(err)
						}
					}
				}
			}
		})
	}
	wait.Wait()
	all, err := ReadRequests(dir)
	if c := all.Counts(); err != nil || c.Waiting != 8 || c.Described != 32 || c.Damaged != 0 {
		t.Errorf("%+v %v", c, err)
	}
}

// A request's answer counts beside the description that was there, is counted once, and is no reason to describe the photo again.
func TestAddAsked(t *testing.T) {
	dir := t.TempDir()
	mine := Settings{{Name: "prompt", Value: "mine"}}
	theirs := Settings{{Name: "prompt", Value: "theirs"}}
	tr := open(t, dir, Options{})
	tr.Use(mine, false)
	add := func(r Record, chosen bool) {
		t.Helper()
		s := mine
		if chosen {
			s = theirs
		}
		r.Request = &RecordRequest{ID: "1", Chosen: chosen}
		if err := AddAsked(tr, s, r); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"a", "b"} {
		if err := tr.Add(okRecord(path)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tr.Add(failedRecord("c", Timeout)); err != nil {
		t.Fatal(err)
	}
	add(okRecord("a"), true)
	add(okRecord("b"), false)
	add(okRecord("c"), true)
	add(failedRecord("a", Timeout), true) // it stays described
	if !tr.Files().Known("c") || tr.Files().Known("d") {
		t.Error("c is known and d is not")
	}
	check := func(when string) {
		t.Helper()
		if c := tr.Counts(); c.Done != 3 || c.Failed != 0 {
			t.Errorf("%s: %+v", when, c)
		}
	}
	check("at once")
	tr.Close()
	tr = open(t, dir, Options{})
	if n := notes(tr); n != "" {
		t.Error(n)
	}
	if c := tr.Changed(Settings{{Name: "prompt", Value: "another"}}); c.Photos != 1 || !c.Has("b") || c.Has("a") {
		t.Errorf("%d photos were described with other settings", c.Photos)
	}
	tr.Use(mine, true)
	check("opened again")
	tr.Close()
	if got := bytes.Count(outputText(t, dir), []byte{'\n'}); got != 6 {
		t.Errorf("%d lines", got)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"id":"0123456789abcdef","path":"a","prompt":"short","model":"m","time":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"id":"0123456789abcdef","done":"failed","why":"x"}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		l, err := parseRequest(line)
		if err != nil {
			return
		}
		if len(l.ID) != requestIDLen || l.Done == "" && (l.Path == "" || len(l.Prompt) > maxRequestText) || len(l.Why) > maxRequestWhy+4 {
			t.Errorf("%+v", l)
		}
	})
}
