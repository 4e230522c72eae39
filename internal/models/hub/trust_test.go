package hub_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"photodesc/internal/models/hub"
)

// What a hub, a mirror or a redirect must not get or give.

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
	if hub.Partial(s.dst) != 0 {
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
