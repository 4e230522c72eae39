package hub_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"photodesc/internal/models/hub"
	"photodesc/internal/models/hub/hubtest"
)

// What the tests stand on: files, a hub on loopback, and what the caller heard.

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

func (h *heard) At(n int64) { h.at = append(h.at, n) }

func (h *heard) Wait(string) { h.waits++ }

func (h *heard) End(_ string, err error) { h.ended = err }

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
	s.client.Pause, s.client.Tries = time.Millisecond, 4
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
