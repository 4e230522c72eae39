// Package hubtest is a server on this machine that answers as the Hugging Face
// hub does: it redirects to another host for the files themselves, says their
// sizes and SHA-256, knows ranges, accounts and limits. Faults can be had.
package hubtest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"
)

// Hub is the server, two in fact. Its fields may be changed between requests
// with the lock held.
type Hub struct {
	sync.Mutex
	URL      string
	Files    map[string]map[string][]byte // by repository and path
	Token    string                       // wanted by gated repositories
	Gated    map[string]bool
	Plain    bool // as a mirror: no redirects, and nothing said of SHA-256
	Requests []Request

	hub, store *httptest.Server
	counts     map[string]int
	fault      Fault
}

// Fault answers a request instead, if it returns true. host is "hub" or
// "store"; n counts that host's requests of this method from 1.
type Fault func(host string, n int, w http.ResponseWriter, r *http.Request) bool

// Break has requests answered by f first.
func (h *Hub) Break(f Fault) {
	h.Lock()
	defer h.Unlock()
	h.fault = f
}

// Request is one that arrived.
type Request struct {
	Host                          string // "hub" or "store"
	Method, Path                  string
	Range, IfRange, Authorization string
	Status                        int
}

// Start starts the two.
func Start() *Hub {
	h := &Hub{Files: map[string]map[string][]byte{}, Gated: map[string]bool{}, counts: map[string]int{}}
	h.store = httptest.NewServer(h.counted("store", h.serveStore))
	h.hub = httptest.NewServer(h.counted("hub", h.serveHub))
	h.URL = h.hub.URL
	return h
}

// Close stops both.
func (h *Hub) Close() {
	h.hub.CloseClientConnections()
	h.store.CloseClientConnections()
	h.hub.Close()
	h.store.Close()
}

// Put adds a file.
func (h *Hub) Put(repo, path string, content []byte) {
	h.Lock()
	defer h.Unlock()
	if h.Files[repo] == nil {
		h.Files[repo] = map[string][]byte{}
	}
	h.Files[repo][path] = content
}

// Seen returns the requests to a host so far, all hosts' for "".
func (h *Hub) Seen(host, method string) []Request {
	h.Lock()
	defer h.Unlock()
	var out []Request
	for _, r := range h.Requests {
		if (host == "" || r.Host == host) && (method == "" || r.Method == method) {
			out = append(out, r)
		}
	}
	return out
}

// SHA256 is the sum as the hub writes it.
func SHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// status keeps what was answered.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (h *Hub) counted(host string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Lock()
		h.counts[host+r.Method]++
		n, fault := h.counts[host+r.Method], h.fault
		i := len(h.Requests)
		h.Requests = append(h.Requests, Request{
			Host: host, Method: r.Method, Path: r.URL.Path, Range: r.Header.Get("Range"),
			IfRange: r.Header.Get("If-Range"), Authorization: r.Header.Get("Authorization"),
		})
		h.Unlock()
		s := &status{w, http.StatusOK}
		defer func() {
			h.Lock()
			h.Requests[i].Status = s.code
			h.Unlock()
		}()
		if fault != nil && fault(host, n, s, r) {
			return
		}
		next(s, r)
	})
}

// at is the name under which Files has a repository's revision: OWNER/NAME for main,
// OWNER/NAME@REVISION for others.
func at(repo, revision string) string {
	if revision == "main" {
		return repo
	}
	return repo + "@" + revision
}

// find splits /OWNER/NAME/resolve/REVISION/PATH.
func (h *Hub) find(path string) (repo, file string, content []byte) {
	h.Lock()
	defer h.Unlock()
	name, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/resolve/")
	revision, file, _ := strings.Cut(rest, "/")
	repo = at(name, revision)
	return repo, file, h.Files[repo][file]
}

// Content is the file at an address.
func (h *Hub) Content(path string) []byte {
	_, _, content := h.find(path)
	return content
}

func (h *Hub) serveHub(w http.ResponseWriter, r *http.Request) {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/api/models/"); ok {
		repo, revision, _ := strings.Cut(rest, "/tree/")
		h.serveTree(w, r, at(repo, revision))
		return
	}
	repo, _, content := h.find(r.URL.Path)
	if !h.admit(w, r, repo) {
		return
	}
	if content == nil {
		w.Header().Set("X-Error-Code", "EntryNotFound")
		http.Error(w, "Entry not found", http.StatusNotFound)
		return
	}
	h.Lock()
	plain := h.Plain
	h.Unlock()
	if plain {
		serve(w, r, content, fmt.Sprintf(`"%s-plain"`, SHA256(content)[:8]))
		return
	}
	w.Header().Set("X-Repo-Commit", strings.Repeat("c0", 20))
	w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
	w.Header().Set("X-Linked-Etag", `"`+SHA256(content)+`"`)
	w.Header().Set("Etag", `"`+SHA256(content)+`"`)
	w.Header().Set("Location", fmt.Sprintf("%s%s?X-Amz-Signature=s1gn4ture&at=%d", h.store.URL, r.URL.Path, time.Now().UnixNano()))
	w.WriteHeader(http.StatusFound)
	fmt.Fprintln(w, "Found. Redirecting")
}

// admit answers 401 of what does not exist as the hub does.
func (h *Hub) admit(w http.ResponseWriter, r *http.Request, repo string) bool {
	h.Lock()
	known, gated, token := h.Files[repo] != nil, h.Gated[repo], h.Token
	name, _, pinned := strings.Cut(repo, "@")
	pinned = pinned && h.Files[name] != nil
	h.Unlock()
	switch {
	case pinned && !known:
		w.Header().Set("X-Error-Code", "RevisionNotFound")
		http.Error(w, "Invalid rev id", http.StatusNotFound)
	case !known:
		w.Header().Set("X-Error-Code", "RepoNotFound")
		http.Error(w, "Invalid username or password.", http.StatusUnauthorized)
	case gated && r.Header.Get("Authorization") == "":
		w.Header().Set("X-Error-Code", "GatedRepo")
		http.Error(w, "Access to this model is restricted.", http.StatusUnauthorized)
	case gated && r.Header.Get("Authorization") != "Bearer "+token:
		w.Header().Set("X-Error-Code", "GatedRepo")
		http.Error(w, "Access to this model is restricted.", http.StatusForbidden)
	default:
		return true
	}
	return false
}

func (h *Hub) serveTree(w http.ResponseWriter, r *http.Request, repo string) {
	if !h.admit(w, r, repo) {
		return
	}
	type entry = map[string]any
	list := []entry{{"type": "directory", "path": "sub", "size": 0}, {"type": "file", "path": "README.md", "size": 12}}
	h.Lock()
	for path, content := range h.Files[repo] {
		list = append(list, entry{"type": "file", "path": path, "size": len(content),
			"lfs": entry{"oid": SHA256(content), "size": len(content), "pointerSize": 135}})
	}
	h.Unlock()
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a["path"].(string), b["path"].(string)) })
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(list)
}

// serveStore is the host that has the files: its addresses are signed for GET
// alone, and it refuses a token that is not its own.
func (h *Hub) serveStore(w http.ResponseWriter, r *http.Request) {
	_, _, content := h.find(r.URL.Path)
	switch {
	case r.Header.Get("Authorization") != "":
		http.Error(w, "Only one auth mechanism allowed", http.StatusBadRequest)
	case r.Method != http.MethodGet || r.URL.Query().Get("X-Amz-Signature") != "s1gn4ture":
		http.Error(w, "SignatureDoesNotMatch", http.StatusForbidden)
	case content == nil:
		http.NotFound(w, r)
	default:
		serve(w, r, content, `"store-`+SHA256(content)[:8]+`"`)
	}
}

func serve(w http.ResponseWriter, r *http.Request, content []byte, tag string) {
	w.Header().Set("Etag", tag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}
