package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestOwnLibraries(t *testing.T) {
	for name, own := range map[string]bool{
		"libc.so.6": true, "libm.so.6": true, "ld-linux-x86-64.so.2": true, "libstdc++.so.6": true, "libgcc_s.so.1": true, "libpthread.so.0": true,
		"libvips.so.42": false, "libcrypto.so.3": false, "libmd.so.0": false, "libdlt.so.2": false, "librsvg-2.so.2": false,
	} {
		if got := ownLibraries.MatchString(name); got != own {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// The targets of links are packed, under names inside the archive's folder.
func TestPackFolder(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "src", "below"), 0o755),
		os.WriteFile(filepath.Join(dir, "src", "a.h"), []byte("one"), 0o644),
		os.WriteFile(filepath.Join(dir, "src", "b.c"), []byte("two"), 0o644),
		os.WriteFile(filepath.Join(dir, "src", "below", "c.h"), []byte("three"), 0o755),
		os.Symlink("a.h", filepath.Join(dir, "src", "l.h")),
	); err != nil {
		t.Fatal(err)
	}
	for ending, want := range map[string]map[string]string{
		"":   {"x/a.h": "644 one", "x/b.c": "644 two", "x/l.h": "644 one", "x/below/c.h": "755 three"},
		".h": {"x/a.h": "644 one", "x/l.h": "644 one"},
	} {
		var b bytes.Buffer
		p := &packer{tar: tar.NewWriter(&b)}
		if err := errors.Join(p.folder(filepath.Join(dir, "src"), "x", ending), p.tar.Close()); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for r := tar.NewReader(&b); ; {
			h, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(r)
			mode := "644 "
			if h.Mode&0o100 != 0 {
				mode = "755 "
			}
			got[strings.TrimPrefix(h.Name, "photodesc-gpucheck/")] = mode + string(text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("ending %q: %v, want %v", ending, got, want)
		}
	}
}

const someEvents = `{"event":"start","time":"2026-11-26T10:00:00Z","workers":2,"slots":16}
{"event":"worker","time":"2026-11-26T10:00:02Z","action":"ready","worker":1,"seconds":1.5}
{"event":"worker","time":"2026-11-26T10:00:03Z","action":"ready","worker":2,"seconds":1.6}
{"event":"photo","path":"a.jpg","status":"ok","time":"2026-11-26T10:00:04Z","tiles":5,"prompt_tokens":346,"tokens":64,"seconds":{"decode":0.01,"encode":0.05,"prompt":0.02,"generate":0.1,"total":0.2}}
{"event":"photo","path":"b.jpg","status":"failed","time":"2026-11-26T10:00:05Z","error":{"kind":"crash","message":"it crashed"},"seconds":{}}
{"event":"photo","path":"c.jpg","status":"ok","time":"2026-11-26T10:00:06Z","tiles":5,"prompt_tokens":346,"tokens":64,"seconds":{"decode":0.01,"encode":0.05,"prompt":0.02,"generate":0.1,"total":0.2}}
{"event":"worker","time":"2026-11-26T10:00:07Z","action":"exit","worker":1,"reason":"segfault","message":"in a library"}
{"event":"worker","time":"2026-11-26T10:00:07Z","action":"exit","worker":2,"reason":"finished"}
`

func TestReadEvents(t *testing.T) {
	var r result
	if err := r.read(strings.NewReader(someEvents)); err != nil {
		t.Fatal(err)
	}
	if r.photos != 2 || r.failed != 1 || r.workers != 2 || r.slots != 16 || r.took() != 4 || r.tiles != 10 || r.tokens != 128 || r.encode != 0.1 {
		t.Errorf("%+v", r)
	}
	if want := []string{"a photo failed: it crashed", "segfault in a library"}; !reflect.DeepEqual(r.deaths, want) {
		t.Errorf("deaths %q, want %q", r.deaths, want)
	}
	if err := r.read(strings.NewReader("{\"event\":\n")); err == nil {
		t.Error("a torn event is no error")
	}
}

func TestSamplesBetween(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	s := samples{{at(1), 100, 900}, {at(2), 40, 500}, {at(3), 60, 700}, {at(4), 100, 900}}
	if busy, memory := s.between(at(2), at(3)); busy != 50 || memory != 700 {
		t.Errorf("%v%%, %d MiB", busy, memory)
	}
}

// A failed step is reported and the next one runs; steps not done when the time is up are named.
func TestCheckGoesOn(t *testing.T) {
	var ran []string
	fails := func(c *checker, ctx context.Context) error {
		ran = append(ran, "fails")
		return errors.New("no driver")
	}
	waits := func(c *checker, ctx context.Context) error {
		ran = append(ran, "waits")
		<-ctx.Done()
		return ctx.Err()
	}
	c := &checker{out: t.TempDir(), until: time.Now().Add(200 * time.Millisecond)}
	err := c.check(t.Context(), []step{{"first", time.Minute, fails}, {"second", time.Minute, waits}, {"third", time.Minute, fails}})
	if err == nil || err.Error() != "failed or not done: first, second, third" || !reflect.DeepEqual(ran, []string{"fails", "waits"}) {
		t.Errorf("%v, %q", err, ran)
	}
	report, readErr := os.ReadFile(filepath.Join(c.out, "report.txt"))
	for _, want := range []string{"first FAILED after 0.0 s: no driver", "third: not done, the time is up"} {
		if readErr != nil || !strings.Contains(string(report), want) {
			t.Errorf("%v: the report lacks %q:\n%s", readErr, want, report)
		}
	}
}

func TestChooseSteps(t *testing.T) {
	if all, err := chooseSteps(nil); err != nil || len(all) != len(steps) {
		t.Errorf("%d steps, %v", len(all), err)
	}
	if some, err := chooseSteps([]string{"words", "models"}); err != nil || len(some) != 2 || some[0].name != "words" {
		t.Errorf("%v, %v", some, err)
	}
	if _, err := chooseSteps([]string{"word"}); err == nil || !strings.Contains(err.Error(), `no step "word"`) {
		t.Error(err)
	}
}
