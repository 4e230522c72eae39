package main

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"photodesc/internal/models"
	"photodesc/internal/models/gguf"
	"photodesc/internal/models/hub/hubtest"
)

func init() { scriptCommands["hub"] = hubCommand }

var (
	hubsMu sync.Mutex
	hubs   = map[*testscript.TestScript]*hubtest.Hub{}
)

// hub: starts a server that is like the Hugging Face hub and has the small
// model under all names of the catalogue; HF_ENDPOINT is its address.
//
// hub half: from now on it sends half of each file and then nothing more.
// hub cut: from now on it breaks each connection after half of what was asked.
// hub whole: no more of that.
// hub files N: N files were sent, or begun, so far.
// hub put REPO FILE…: it has these, too, under their names.
// hub stop: there is no network any more.
func hubCommand(ts *testscript.TestScript, neg bool, args []string) {
	hubsMu.Lock()
	h := hubs[ts]
	if h == nil {
		h = newHub(ts)
		hubs[ts] = h
		ts.Setenv("HF_ENDPOINT", h.URL)
		ts.Defer(h.Close)
	}
	hubsMu.Unlock()
	if len(args) == 0 {
		return
	}
	switch args[0] {
	case "half", "cut":
		h.Break(func(host string, _ int, w http.ResponseWriter, r *http.Request) bool {
			return host == "store" && sendHalf(h, w, r, args[0] == "cut")
		})
	case "whole":
		h.Break(nil)
	case "files":
		want, err := strconv.Atoi(args[1])
		ts.Check(err)
		if n := len(h.Seen("store", "GET")); n != want {
			ts.Fatalf("%d files were fetched, want %d", n, want)
		}
	case "put":
		for _, name := range args[2:] {
			content, err := os.ReadFile(ts.MkAbs(name))
			ts.Check(err)
			h.Put(args[1], filepath.Base(name), content)
		}
	case "stop":
		h.Close()
	default:
		ts.Fatalf("hub %s?", args[0])
	}
}

func sendHalf(h *hubtest.Hub, w http.ResponseWriter, r *http.Request, cut bool) bool {
	if r.Header.Get("Range") != "" {
		return false
	}
	content := h.Content(r.URL.Path)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.Write(content[:len(content)/2])
	http.NewResponseController(w).Flush()
	if cut {
		panic(http.ErrAbortHandler)
	}
	<-r.Context().Done()
	return true
}

func newHub(ts *testscript.TestScript) *hubtest.Hub {
	text, err := os.ReadFile(ts.Getenv("TEXT"))
	ts.Check(err)
	vision, err := os.ReadFile(ts.Getenv("MMPROJ"))
	ts.Check(err)
	h := hubtest.Start()
	for _, e := range models.Catalogue {
		if e.Repo != "" {
			h.Put(e.Repo, e.Text.File, text)
			h.Put(e.Repo, e.Vision.File, vision)
		}
	}
	return h
}

func init() {
	// awaitfile FILE: waits until there is something in a file.
	scriptCommands["awaitfile"] = func(ts *testscript.TestScript, neg bool, args []string) {
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Size() > 0 {
				return
			}
		}
		ts.Fatalf("nothing came to %s", args[0])
	}
}

func init() {
	// damaged N: N copies of the small model with a bit of the head flipped,
	// one after the other. Each is refused with a reason, or works; llama.cpp
	// ends no process over one.
	scriptCommands["damaged"] = func(ts *testscript.TestScript, neg bool, args []string) {
		n, err := strconv.Atoi(args[0])
		ts.Check(err)
		r := rand.New(rand.NewPCG(1, 2))
		for i := range n {
			files := []string{ts.Getenv("TEXT"), ts.Getenv("MMPROJ")}
			head, err := gguf.Open(files[i%2])
			ts.Check(err)
			b, err := os.ReadFile(files[i%2])
			ts.Check(err)
			at, bit := r.Int64N(head.Data), r.IntN(8)
			b[at] ^= 1 << bit
			files[i%2] = ts.MkAbs("damaged.gguf")
			ts.Check(os.WriteFile(files[i%2], b, 0o644))
			if ts.Exec("photodesc", "-C", "damaged", "run", "--model", files[0], "--mmproj", files[1], "--threads", "1", "--max-tokens", "2", "--redo", "never", "--limit", "1", ts.Getenv("PHOTOS")) == nil {
				continue
			}
			if said := ts.ReadFile("stderr"); !damageSaid.MatchString(said) {
				ts.Fatalf("file %d, byte %d, bit %d: %s", i%2, at, bit, said)
			}
		}
	}
}

var damageSaid = regexp.MustCompile(`cannot be used: |is no GGUF model file|do not belong together|is a text model|is a vision file|llama\.cpp says: `)
