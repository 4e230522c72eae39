package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"photodesc/internal/models/hub"
	"photodesc/internal/models/hub/hubtest"
)

const (
	repo = "ggml-org/Some-GGUF"
	file = "Some-Q8_0.gguf"
)

func TestFetch(t *testing.T) {
	s := newScene(t)
	s.arrived(s.fetch())
	if n := len(s.heard.at); n == 0 || s.heard.at[n-1] != int64(len(s.data)) || s.heard.ended != nil {
		t.Errorf("%+v", &s.heard)
	}
	before := len(s.Seen("", ""))
	s.arrived(s.fetch())
	if len(s.Seen("", "")) != before {
		t.Error("asked for what is there")
	}
}

func TestList(t *testing.T) {
	s := newScene(t)
	s.Put(repo, "sub/other.gguf", []byte("x"))
	files, err := s.client.List(t.Context(), repo)
	if err != nil || len(files) != 3 || files[1].Path != file || files[1].Size != 1<<20 || files[1].SHA256 != hubtest.SHA256(s.data) || files[2].Path != "sub/other.gguf" {
		t.Errorf("%+v, %v", files, err)
	}
	if _, err := s.client.List(t.Context(), "no/such"); err == nil || !strings.Contains(err.Error(), "there is no such model") {
		t.Error(err)
	}
	s.Break(func(_ string, _ int, w http.ResponseWriter, _ *http.Request) bool {
		fmt.Fprint(w, "<html>welcome</html>")
		return true
	})
	if _, err := s.client.List(t.Context(), repo); err == nil || !strings.Contains(err.Error(), "returned no list") {
		t.Error(err)
	}
}

func TestCutIsGoneOnWith(t *testing.T) {
	s := newScene(t)
	s.first(3, s.cut(300_000))
	s.arrived(s.fetch())
	gets := s.Seen("store", "GET")
	if len(gets) != 4 || gets[1].Range != "bytes=300000-" || gets[3].Range != "bytes=900000-" {
		t.Errorf("%+v", gets)
	}
	if len(s.heard.retries) != 3 || !strings.Contains(s.heard.retries[0], "the connection to 127.0.0.1") {
		t.Errorf("%q", s.heard.retries)
	}
}

// A process that was stopped leaves a part; the next goes on with it.
func TestNextProcessGoesOn(t *testing.T) {
	s := newScene(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.first(1, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
		w.Write(s.data[:500_000])
		http.NewResponseController(w).Flush()
		time.Sleep(50 * time.Millisecond)
		cancel()
		<-r.Context().Done()
	})
	s.refused(s.client.Fetch(ctx, repo, file, s.dst, &s.heard), "context canceled")
	if n := hub.Partial(s.dst); n != 500_000 {
		t.Fatalf("%d bytes are left", n)
	}
	s.connect()
	s.arrived(s.fetch())
	if s.heard.have != 500_000 || s.Seen("store", "GET")[1].Range != "bytes=500000-" {
		t.Errorf("%+v", &s.heard)
	}
}

// The file was replaced on the hub between two attempts.
func TestChangedBetweenProcesses(t *testing.T) {
	s := newScene(t)
	s.client.Tries = 1
	s.first(1, s.cut(500_000))
	s.refused(s.fetch(), "broke: unexpected EOF")
	s.data = content(1<<20, 2)
	s.Put(repo, file, s.data)
	s.arrived(s.fetch())
	if gets := s.Seen("store", "GET"); gets[1].Range != "" || s.heard.have != 0 {
		t.Errorf("%+v", gets)
	}
}

func TestChangedWhileFetching(t *testing.T) {
	s := newScene(t)
	cut := s.cut(500_000)
	s.first(1, func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			s.data = content(1<<20, 3)
			s.Put(repo, file, s.data)
			panic(http.ErrAbortHandler)
		}()
		cut(w, r)
	})
	s.arrived(s.fetch())
}

func TestServerWithoutRanges(t *testing.T) {
	s := newScene(t)
	s.Break(func(host string, n int, w http.ResponseWriter, r *http.Request) bool {
		if host == "store" && n == 1 {
			s.cut(500_000)(w, r)
		}
		r.Header.Del("Range")
		return false
	})
	s.arrived(s.fetch())
}

func TestAnotherRange(t *testing.T) {
	s := newScene(t)
	s.Break(func(host string, n int, w http.ResponseWriter, r *http.Request) bool {
		if host == "store" && n == 1 {
			s.cut(500_000)(w, r)
		}
		if host == "store" && n == 2 {
			r.Header.Set("Range", "bytes=100-")
		}
		return false
	})
	s.arrived(s.fetch())
}

// A part that is as long as the file, or longer, or rubbish.
func TestStrangeParts(t *testing.T) {
	for _, n := range []int{1000, 1 << 20, 1<<20 + 5} {
		s := newScene(t)
		s.client.Tries = 1
		s.first(1, s.cut(100_000))
		s.refused(s.fetch(), "broke: unexpected EOF")
		if err := os.WriteFile(s.dst+".part", make([]byte, n), 0o644); err != nil {
			t.Fatal(err)
		}
		s.client.Tries = 4
		s.arrived(s.fetch())
	}
}

func TestStatus(t *testing.T) {
	answer := func(code int, header ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			http.Error(w, "no", code)
		}
	}
	t.Run("500", func(t *testing.T) {
		s := newScene(t)
		s.first(2, answer(500))
		s.arrived(s.fetch())
		if len(s.heard.retries) != 2 || !strings.Contains(s.heard.retries[0], "500 Internal Server Error") {
			t.Errorf("%q", s.heard.retries)
		}
		if s.heard.pauses[1] <= s.heard.pauses[0]/2 {
			t.Errorf("pauses %v", s.heard.pauses)
		}
	})
	t.Run("500 for ever", func(t *testing.T) {
		s := newScene(t)
		s.first(100, answer(502))
		s.refused(s.fetch(), "502 Bad Gateway")
		if n := len(s.Seen("store", "")); n != 4 {
			t.Errorf("%d tries", n)
		}
	})
	t.Run("429", func(t *testing.T) {
		s := newScene(t)
		s.first(1, answer(429, "Retry-After", "1"))
		s.arrived(s.fetch())
		if len(s.heard.pauses) != 1 || s.heard.pauses[0] != time.Second || !strings.Contains(s.heard.retries[0], "busy (429") {
			t.Errorf("%v %q", s.heard.pauses, s.heard.retries)
		}
	})
	t.Run("429 with a date", func(t *testing.T) {
		s := newScene(t)
		s.first(1, answer(503, "Retry-After", time.Now().Add(1500*time.Millisecond).UTC().Format(http.TimeFormat)))
		s.arrived(s.fetch())
		if len(s.heard.pauses) != 1 || s.heard.pauses[0] > 2*time.Second {
			t.Errorf("%v", s.heard.pauses)
		}
	})
	t.Run("429 of the hub itself", func(t *testing.T) {
		s := newScene(t)
		s.Break(func(host string, n int, w http.ResponseWriter, r *http.Request) bool {
			if host == "hub" && n == 1 {
				answer(429, "Retry-After", "0")(w, r)
				return true
			}
			return false
		})
		s.arrived(s.fetch())
	})
	t.Run("429 until tomorrow", func(t *testing.T) {
		s := newScene(t)
		s.first(1, answer(429, "Retry-After", "86400"))
		s.refused(s.fetch(), "wants to be asked again in 24h")
	})
	t.Run("404", func(t *testing.T) {
		s := newScene(t)
		err := s.client.Fetch(t.Context(), repo, "none.gguf", s.dst, &s.heard)
		s.refused(err, "has no file none.gguf in "+repo)
		if len(s.Seen("", "")) != 1 {
			t.Error("asked again")
		}
	})
	t.Run("401", func(t *testing.T) {
		s := newScene(t)
		s.refused(s.client.Fetch(t.Context(), "no/such", file, s.dst, &s.heard), "without an account, or there is no such model")
		t.Setenv("HF_TOKEN", "hf_secret")
		s.connect()
		s.refused(s.client.Fetch(t.Context(), "no/such", file, s.dst, &s.heard), "to the account of HF_TOKEN, or there is no such model")
	})
	t.Run("gated", func(t *testing.T) {
		s := newScene(t)
		s.Gated[repo], s.Token = true, "hf_right"
		s.refused(s.fetch(), "agree on "+s.URL+"/"+repo+", and set HF_TOKEN")
		t.Setenv("HF_TOKEN", "hf_wrong")
		s.connect()
		s.refused(s.fetch(), "agreed to its licence")
		t.Setenv("HF_TOKEN", "hf_right")
		s.connect()
		s.arrived(s.fetch())
	})
	t.Run("403 of the store", func(t *testing.T) {
		s := newScene(t)
		s.first(1, answer(403))
		s.refused(s.fetch(), "refuses "+file)
	})
}

// A server that sends a byte now and then, or nothing at all.
func TestSlowDrip(t *testing.T) {
	for name, size := range map[string]int{"drip": 10, "nothing": 0} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.client.Stall = time.Second
			s.first(1, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
				for i := 0; r.Context().Err() == nil; i += size {
					w.Write(s.data[i : i+size])
					http.NewResponseController(w).Flush()
					time.Sleep(10 * time.Millisecond)
				}
			})
			s.arrived(s.fetch())
			if len(s.heard.retries) != 1 || s.heard.retries[0] != "the connection is stalled" {
				t.Errorf("%q", s.heard.retries)
			}
		})
	}
}

func TestDiskIsFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	s := newScene(t)
	s.dst = filepath.Join(dir, file)
	s.refused(s.fetch(), "has too little space")
	if len(s.Seen("store", "")) != 0 {
		t.Error("fetched although there is no room")
	}
	// The hub does not say the size: it shows when the disk is full.
	s.Plain = true
	s.Break(func(_ string, _ int, w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead {
			w.Header().Set("Transfer-Encoding", "chunked")
			return true
		}
		w.Write(s.data[:1000])
		http.NewResponseController(w).Flush()
		w.Write(s.data[1000:])
		return true
	})
	s.refused(s.fetch(), "the disk is full")
}

func TestFolderCannotBeWritten(t *testing.T) {
	s := newScene(t)
	in := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(in, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.dst = filepath.Join(in, file)
	s.refused(s.fetch(), "not a directory")
}
