package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"photodesc/models/hub"
	"photodesc/models/hub/hubtest"
)

const (
	repo = "ggml-org/Some-GGUF"
	file = "Some-Q8_0.gguf"
)

func content(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// heard keeps what a download tells.
type heard struct {
	sync.Mutex
	have    int64
	at      []int64
	retries []string
	pauses  []time.Duration
	waits   int
	ended   error
}

func (h *heard) Begin(_ hub.File, have int64) { h.have = have }
func (h *heard) At(n int64)                   { h.at = append(h.at, n) }
func (h *heard) Wait(string)                  { h.waits++ }
func (h *heard) End(_ string, err error)      { h.ended = err }
func (h *heard) Retry(_ string, err error, pause time.Duration) {
	h.retries = append(h.retries, err.Error())
	h.pauses = append(h.pauses, pause)
}

type scene struct {
	*hubtest.Hub
	t      *testing.T
	client *hub.Client
	dst    string
	data   []byte
	heard  heard
}

func environment(t *testing.T) {
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
}

func newScene(t *testing.T) *scene {
	environment(t)
	s := &scene{Hub: hubtest.Start(), t: t, dst: filepath.Join(t.TempDir(), "models", file), data: content(1<<20, 1)}
	t.Cleanup(s.Close)
	s.Put(repo, file, s.data)
	t.Setenv("HF_ENDPOINT", s.URL)
	s.connect()
	return s
}

func (s *scene) connect() {
	var err error
	if s.client, err = hub.FromEnvironment(); err != nil {
		s.t.Fatal(err)
	}
	s.client.Pause, s.client.Stall, s.client.Tries = time.Millisecond, 300*time.Millisecond, 4
}

func (s *scene) fetch() error {
	s.heard = heard{}
	return s.client.Fetch(s.t.Context(), repo, file, s.dst, &s.heard)
}

// arrived checks that the whole file is there and nothing is left beside it.
func (s *scene) arrived(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	got, err := os.ReadFile(s.dst)
	if err != nil || !bytes.Equal(got, s.data) {
		s.t.Fatalf("%d bytes arrived of %d, %v", len(got), len(s.data), err)
	}
	left, _ := filepath.Glob(s.dst + ".*")
	if len(left) != 1 || left[0] != s.dst+".sha256" {
		s.t.Errorf("left behind: %q", left)
	}
	if ok, known, err := hub.Intact(s.t.Context(), s.dst); !ok || !known || err != nil {
		s.t.Error("what arrived is not known to be intact", err)
	}
}

// refused checks that nothing pretends to be the file.
func (s *scene) refused(err error, want string) {
	s.t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		s.t.Fatalf("error %v, want %q in it", err, want)
	}
	if _, err := os.Stat(s.dst); err == nil {
		s.t.Error("there is a file all the same")
	}
}

// first is a fault of the first n requests to the store.
func (s *scene) first(n int, do func(w http.ResponseWriter, r *http.Request)) {
	s.Break(func(host string, i int, w http.ResponseWriter, r *http.Request) bool {
		if host != "store" || i > n {
			return false
		}
		do(w, r)
		return true
	})
}

// cut sends some bytes of the rest of the file and breaks the connection.
func (s *scene) cut(n int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		var from int
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		w.Header().Set("Content-Length", strconv.Itoa(len(s.data)-from))
		if from > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.data)-1, len(s.data)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(s.data[from:min(from+n, len(s.data))])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

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
	if _, err := s.client.List(t.Context(), repo); err == nil || !strings.Contains(err.Error(), "gave no list") {
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
	if n := hub.Left(s.dst); n != 500_000 {
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

func TestWrongBytes(t *testing.T) {
	s := newScene(t)
	spoilt := func(w http.ResponseWriter, r *http.Request) {
		b := bytes.Clone(s.data)
		b[77] ^= 1
		w.Write(b)
	}
	s.first(1, spoilt)
	s.arrived(s.fetch())
	if len(s.heard.retries) != 1 || !strings.Contains(s.heard.retries[0], "arrived damaged") {
		t.Errorf("%q", s.heard.retries)
	}

	s = newScene(t)
	s.first(100, spoilt)
	s.refused(s.fetch(), "arrived damaged: its SHA-256 is not the one")
	if n := len(s.Seen("store", "")); n != 2 {
		t.Errorf("%d tries", n)
	}
	if hub.Left(s.dst) != 0 {
		t.Error("the damaged part is kept")
	}
}

func TestWrongLength(t *testing.T) {
	s := newScene(t)
	s.first(1, func(w http.ResponseWriter, _ *http.Request) {
		for range 5 {
			w.Write(s.data)
		}
	})
	s.arrived(s.fetch())
	s = newScene(t)
	s.first(1, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		w.Write(s.data[:1000])
	})
	s.arrived(s.fetch())
	if len(s.heard.retries) != 1 || !strings.Contains(s.heard.retries[0], "ended the connection after 1.0 kB of 1.0 MB") {
		t.Errorf("%q", s.heard.retries)
	}
}

// A server that sends a byte now and then, or nothing at all.
func TestSlowDrip(t *testing.T) {
	for name, size := range map[string]int{"drip": 10, "nothing": 0} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.first(1, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
				for i := 0; r.Context().Err() == nil; i += size {
					w.Write(s.data[i : i+size])
					http.NewResponseController(w).Flush()
					time.Sleep(10 * time.Millisecond)
				}
			})
			s.arrived(s.fetch())
			if len(s.heard.retries) != 1 || s.heard.retries[0] != "next to nothing arrives" {
				t.Errorf("%q", s.heard.retries)
			}
		})
	}
}

// A mirror that neither redirects nor says SHA-256: its own tag guards the part.
func TestPlainMirror(t *testing.T) {
	s := newScene(t)
	s.Plain = true
	s.Break(func(host string, n int, w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && n == 1 {
			s.cut(400_000)(w, r)
		}
		return false
	})
	s.arrived(s.fetch())
	gets := s.Seen("hub", "GET")
	if len(gets) != 2 || gets[1].Range != "bytes=400000-" || gets[1].IfRange == "" || gets[1].Status != 206 {
		t.Errorf("%+v", gets)
	}

	// The file changes while it is on its way: If-Range brings all of it.
	s = newScene(t)
	s.Plain = true
	s.Break(func(host string, n int, w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && n == 1 {
			defer func() {
				s.data = content(1<<20, 9)
				s.Put(repo, file, s.data)
				panic(http.ErrAbortHandler)
			}()
			s.cut(400_000)(w, r)
		}
		return false
	})
	s.arrived(s.fetch())
	if gets := s.Seen("hub", "GET"); len(gets) != 2 || gets[1].Status != 200 {
		t.Errorf("%+v", gets)
	}
}

// The token goes to the hub and nowhere else, and into no error.
func TestTokenStaysHome(t *testing.T) {
	const token = "hf_verysecret"
	s := newScene(t)
	t.Setenv("HF_TOKEN", token)
	s.connect()
	s.arrived(s.fetch())
	for _, r := range s.Seen("", "") {
		if want := map[string]string{"hub": "Bearer " + token}[r.Host]; r.Authorization != want {
			t.Errorf("%s got %q", r.Host, r.Authorization)
		}
	}

	// A redirect to another port is to another host, and back again is not
	// trusted more than the hub itself.
	var stolen string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stolen += r.Header.Get("Authorization")
		http.Error(w, "no", http.StatusTeapot)
	}))
	defer thief.Close()
	s = newScene(t)
	s.connect()
	s.Break(func(_ string, _ int, w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, thief.URL+"/?"+r.Header.Get("Authorization"), http.StatusFound)
		return true
	})
	err := s.fetch()
	s.refused(err, "418")
	if stolen != "" || strings.Contains(err.Error(), token) {
		t.Errorf("stolen %q; %v", stolen, err)
	}

	// Without encryption, no other machine is told.
	t.Setenv("HF_ENDPOINT", "http://mirror.invalid")
	var seen string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen += r.Method + " " + r.URL.String() + " " + r.Header.Get("Authorization") + "\n"
		http.Error(w, token, http.StatusNotFound)
	}))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	out := runSelf(t, "fetch", filepath.Join(t.TempDir(), file))
	if !strings.Contains(seen, "http://mirror.invalid/"+repo) {
		t.Errorf("the proxy saw %q", seen)
	}
	if strings.Contains(seen+out, token) {
		t.Errorf("the token is told: %q %q", seen, out)
	}
}

// Errors of the network name no signatures, no passwords and no tokens.
func TestErrorsAreClean(t *testing.T) {
	s := newScene(t)
	s.client.Tries = 1
	t.Setenv("HF_TOKEN", "hf_verysecret")
	s.connect()
	s.client.Tries = 1
	s.first(1, s.cut(1000))
	err := s.fetch()
	s.refused(err, "the connection to 127.0.0.1")
	if text := err.Error(); strings.Contains(text, "s1gn4ture") || strings.Contains(text, "hf_") {
		t.Error(text)
	}
	t.Setenv("HF_ENDPOINT", "https://name:passw0rd@127.0.0.1:1")
	s.connect()
	err = s.fetch()
	s.refused(err, "connection refused")
	if !hub.Unreachable(err) || strings.Contains(err.Error()+s.client.Address(repo, file), "passw0rd") {
		t.Error(err)
	}
	for _, bad := range []string{"huggingface.co", "ftp://x", "https://", "://name:passw0rd@x"} {
		t.Setenv("HF_ENDPOINT", bad)
		if _, err := hub.FromEnvironment(); err == nil || strings.Contains(err.Error(), "passw0rd") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	t.Setenv("HF_ENDPOINT", "")
	if c, err := hub.FromEnvironment(); err != nil || c.Host() != "huggingface.co" {
		t.Error(c, err)
	}
}

func TestRedirects(t *testing.T) {
	t.Run("renamed", func(t *testing.T) {
		s := newScene(t)
		s.Break(func(host string, _ int, w http.ResponseWriter, r *http.Request) bool {
			if host == "hub" && strings.HasPrefix(r.URL.Path, "/old/") {
				w.Header().Set("Location", "/"+repo+"/resolve/main/"+file)
				w.WriteHeader(http.StatusTemporaryRedirect)
				return true
			}
			return false
		})
		s.arrived(s.client.Fetch(t.Context(), "old/Name", file, s.dst, &s.heard))
	})
	t.Run("circle", func(t *testing.T) {
		s := newScene(t)
		s.Break(func(_ string, _ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
			return true
		})
		s.refused(s.fetch(), "in a circle")
	})
	t.Run("to an address without encryption", func(t *testing.T) {
		s := newScene(t)
		tls := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, s.URL+r.URL.Path, http.StatusFound)
		}))
		defer tls.Close()
		t.Setenv("HF_ENDPOINT", tls.URL)
		s.connect()
		s.client.Trust(tls.Certificate())
		s.refused(s.fetch(), "without encryption")
	})
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
	s.refused(s.fetch(), "there is no room in")
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

// Two processes at once: one fetches, the other waits and uses it.
func TestTwoProcesses(t *testing.T) {
	s := newScene(t)
	s.Break(func(host string, n int, w http.ResponseWriter, _ *http.Request) bool {
		if host == "store" {
			time.Sleep(300 * time.Millisecond)
		}
		return false
	})
	outs := make(chan string)
	for range 3 {
		go func() { outs <- runSelf(t, "fetch", s.dst) }()
	}
	all := <-outs + <-outs + <-outs
	s.arrived(nil)
	if n := len(s.Seen("store", "")); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	if strings.Count(all, "waits=1") != 2 || strings.Count(all, "ok") != 3 {
		t.Error(all)
	}
}

// The one that fetches dies; the one that waits goes on with its part.
func TestProcessKilled(t *testing.T) {
	s := newScene(t)
	half := make(chan bool, 1)
	s.first(1, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
		w.Write(s.data[:600_000])
		http.NewResponseController(w).Flush()
		half <- true
		<-r.Context().Done()
	})
	cmd := self(t, "fetch", s.dst)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-half
	out := make(chan string)
	go func() { out <- runSelf(t, "fetch", s.dst) }()
	for end := time.Now().Add(10 * time.Second); hub.Left(s.dst) < 600_000 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	cmd.Process.Kill()
	cmd.Wait()
	if text := <-out; !strings.Contains(text, "ok") || !strings.Contains(text, "have=600000") {
		t.Error(text)
	}
	s.arrived(nil)
}

// self runs this test program again, as another process that fetches.
func self(t *testing.T, what, dst string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSelf$")
	cmd.Env = append(os.Environ(), "HUB_SELF="+what, "HUB_DST="+dst)
	return cmd
}

func runSelf(t *testing.T, what, dst string) string {
	out, _ := self(t, what, dst).CombinedOutput()
	return string(out)
}

func TestSelf(t *testing.T) {
	if os.Getenv("HUB_SELF") == "" {
		t.Skip("only as another process")
	}
	c, err := hub.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	c.Pause = time.Millisecond
	var h heard
	if err := c.Fetch(t.Context(), repo, file, os.Getenv("HUB_DST"), &h); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("ok waits=%d have=%d\n", h.waits, h.have)
}

func TestIntact(t *testing.T) {
	s := newScene(t)
	s.arrived(s.fetch())
	b := bytes.Clone(s.data)
	b[500] ^= 1
	if err := os.WriteFile(s.dst, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if ok, known, err := hub.Intact(t.Context(), s.dst); ok || !known || err != nil {
		t.Error(ok, known, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := hub.Intact(ctx, s.dst); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if ok, known, err := hub.Intact(t.Context(), s.dst+".none"); ok || known || err != nil {
		t.Error(ok, known, err)
	}
}
