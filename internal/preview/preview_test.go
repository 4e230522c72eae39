package preview

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const workerEnv = "PREVIEW_TEST_WORKER"

// fakeJPEG begins and ends as a JPEG does.
var fakeJPEG = []byte("\xff\xd8\xff-picture-\xff\xd9")

func TestMain(m *testing.M) {
	if os.Getenv(workerEnv) == "" {
		os.Exit(m.Run())
	}
	out := os.NewFile(AnswerFD, "answers")
	err := Serve(os.NewFile(RequestFD, "requests"), out, func(r Request) ([]byte, error) {
		switch string(r.Path) {
		case "crash":
			os.Exit(3)
		case "hang":
			for {
				time.Sleep(time.Hour)
			}
		case "bad":
			return nil, errors.New("it is damaged")
		case "lie":
			return []byte("<svg>"), nil
		case "noise":
			_, _ = out.Write([]byte("no answer\n"))
		}
		return append(append(bytes.Clone(fakeJPEG[:3]), r.Path...), fakeJPEG[3:]...), nil
	})
	if err != nil {
		os.Exit(1)
	}
}

func testMaker(t *testing.T, o Options) *Maker {
	o.Command = func() (*exec.Cmd, error) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), workerEnv+"=1")
		return cmd, nil
	}
	m := NewMaker(o)
	t.Cleanup(m.Close)
	return m
}

// TestMake makes previews whatever happens to workers in between, each of the photo that was asked for.
func TestMake(t *testing.T) {
	m := testMaker(t, Options{Workers: 2, Batch: 3, Timeout: 20 * time.Second})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, c := range []struct{ path, err string }{
				{"a", ""}, {"bad", "it is damaged"}, {"crash", "a library crashed over it"}, {"\xff\n", ""}, {"lie", "crashed"}, {"noise", "crashed"}, {"b", ""}, {"c", ""},
			} {
				b, err := m.Make(context.Background(), c.path, Thumbnail)
				bad := (*PhotoError)(nil)
				switch {
				case c.err == "" && (err != nil || !bytes.Contains(b, []byte(c.path))):
					t.Errorf("%q: %q %v", c.path, b, err)
				case c.err != "" && (!errors.As(err, &bad) || !strings.Contains(err.Error(), c.err)):
					t.Errorf("%q: %v", c.path, err)
				}
			}
		})
	}
	all.Wait()
}

// TestMakeTimeout kills a worker that hangs, and goes on.
func TestMakeTimeout(t *testing.T) {
	m := testMaker(t, Options{Timeout: 100 * time.Millisecond})
	if _, err := m.Make(context.Background(), "hang", Thumbnail); err == nil || !strings.Contains(err.Error(), "no picture was made of it in 100ms") {
		t.Error(err)
	}
	m.o.Timeout = time.Minute
	if _, err := m.Make(context.Background(), "a", Thumbnail); err != nil {
		t.Error(err)
	}
}

// TestMakeCancelled gives up waiting for a free worker, and Close ends one that hangs.
func TestMakeCancelled(t *testing.T) {
	m := testMaker(t, Options{})
	ended := make(chan error)
	go func() {
		_, err := m.Make(context.Background(), "hang", Thumbnail)
		ended <- err
	}()
	for len(m.slots) > 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Make(ctx, "a", Thumbnail); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	m.Close()
	if err := <-ended; !errors.Is(err, errClosed) {
		t.Error(err)
	}
}

// TestCache keeps previews of photos as they were, and not more than it may.
func TestCache(t *testing.T) {
	dir := t.TempDir()
	c := OpenCache(dir, 1000)
	<-c.measured
	at := time.Date(2024, 5, 31, 1, 2, 3, 4, time.UTC)
	key := Key("/photos/a.jpg", Thumbnail)
	if key == Key("/photos/a.jpg", Large) || key == Key("/photos/b.jpg", Thumbnail) {
		t.Error("keys are the same")
	}
	put := func(key string) {
		t.Helper()
		if err := c.Put(key, at, fakeJPEG); err != nil {
			t.Fatal(err)
		}
	}
	put(key)
	for when, want := range map[time.Time]bool{at: true, at.Add(time.Second): false, {}: true, at.Add(time.Hour): false, at.Add(-3 * time.Second): false} {
		if got := c.Get(key, when); (got != nil) != want || want && !bytes.Equal(got, fakeJPEG) {
			t.Errorf("%v: %q", when, got)
		}
	}
	// A file that was cut off is none.
	if err := os.WriteFile(c.file(key), fakeJPEG[:6], 0o600); err != nil {
		t.Fatal(err)
	}
	if c.Get(key, time.Time{}) != nil {
		t.Error("half a file is a preview")
	}
	for i := range 500 {
		put(Key(strings.Repeat("x", i), Thumbnail))
		total := int64(0)
		if i%100 == 99 {
			files := 0
			_ = filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
				if info, err := d.Info(); err == nil && !d.IsDir() {
					total += info.Size()
					files++
				}
				return nil
			})
			if total > 1000 || files < 10 {
				t.Errorf("after %d: %d bytes in %d files", i, total, files)
			}
		}
	}
	// Another program finds what is there, and a smaller limit prunes it.
	again := OpenCache(dir, 100)
	<-again.measured
	if again.bytes > 100 || again.bytes < 0 {
		t.Errorf("%d bytes are left of 100", again.bytes)
	}
	none := OpenCache("", 1000)
	if err := none.Put(key, at, fakeJPEG); err != nil || none.Get(key, at) != nil {
		t.Error("nothing is kept without a folder", err)
	}
}

// TestCacheSeries: photos of a series that change names get previews of their own.
func TestCacheSeries(t *testing.T) {
	c := OpenCache(t.TempDir(), 1<<20)
	key := Key("/photos/a.jpg", Thumbnail)
	first := time.Unix(1_700_000_000, 123_456_789)
	if err := c.Put(key, first, fakeJPEG); err != nil {
		t.Fatal(err)
	}
	if c.Get(key, first) == nil {
		t.Error("it is not kept")
	}
	for _, other := range []time.Duration{-time.Second, -30 * time.Millisecond, 30 * time.Millisecond, time.Second} {
		if c.Get(key, first.Add(other)) != nil {
			t.Errorf("it counts for a photo that is %v newer", other)
		}
	}
	// File systems that keep less.
	for _, unit := range []time.Duration{time.Microsecond, time.Millisecond, time.Second, 2 * time.Second} {
		kept := first.Truncate(unit)
		if err := os.Chtimes(c.file(key), kept, kept); err != nil {
			t.Fatal(err)
		}
		if c.Get(key, first) == nil {
			t.Errorf("a file system that keeps times to %v", unit)
		}
	}
}
