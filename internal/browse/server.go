package browse

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"photodesc/internal/preview"
	"photodesc/internal/search"
	"photodesc/tracker"
)

//go:embed static
var static embed.FS

//go:embed page.html
var pageText string

// pageOf is the page for a photo folder; "" is one that is not known.
func pageOf(root string) string {
	_, name := parent(root)
	name = html.EscapeString(strings.ToValidUTF8(name, "\ufffd"))
	title, brand := "", ""
	if name != "" {
		title, brand = name+" · ", `<span class="brand-folder">`+name+`</span>`
	}
	return strings.NewReplacer("{{title}}", title, "{{brand}}", brand, "{{root}}", html.EscapeString(strings.ToValidUTF8(root, "\ufffd"))).Replace(pageText)
}

// Options are what the page shows, and how.
type Options struct {
	Dir      string         // workdir, absolute
	Root     string         // photo folder, absolute; "" if it is not known
	Port     int            // 0: a free one
	Previews *preview.Maker // of photos below Root
	// FileNow is what the file of a photo is now, kept with a correction; nil takes what it was when it was described.
	FileNow    func(tracker.Photo) *tracker.PhotoFile
	CacheDir   string // for previews; "" keeps none
	CacheLimit int64  // bytes
	Catalogue  string // file that keeps the list of photos; "" keeps none
	// Commands for a person to type: one begins a run here or goes on with one, one tries failed photos again.
	RunCommand, RetryCommand string
	// RequestsCommand is the command that describes only what was asked for, with a model; "" is that of the last run.
	RequestsCommand func(s tracker.Snapshot, model string) string
	Models          []string     // names of those that a photo can be described with
	Version         string       // of the program
	Warn            func(string) // is told once of what goes wrong in the background

	limits limits // zero: defaultLimits
}

// Time limits of connections.
const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second // of a correction
	writeTimeout  = 2 * time.Minute
	idleTimeout   = 2 * time.Minute
	endTimeout    = 3 * time.Second
	// refreshEvery is how often the outputs are looked at for new lines, at most.
	refreshEvery = 500 * time.Millisecond
)

// Server serves the page.
type Server struct {
	s        *server
	listener net.Listener
	http     *http.Server
}

type server struct {
	o        Options
	guard    *guard
	library  *library
	folder   folder
	cache    *preview.Cache
	unfit    unfit
	memory   memory
	requests requests
	index    struct {
		sync.Mutex
		x *search.Index // nil: not open
	}
	refreshing struct {
		sync.Mutex
		last time.Time
	}
	limits      limits
	loaded      chan struct{} // closed when the library was read for the first time
	ending      chan struct{} // closed at the end
	cacheFailed sync.Once
	warned      sync.Once
}

// Listen opens the port. Nothing is answered before Serve.
func Listen(o Options) (*Server, error) {
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", o.Port))
	if err != nil {
		return nil, err
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.limits == (limits{}) {
		o.limits = defaultLimits
	}
	s := &server{o: o, library: newLibrary(o.Dir), folder: openFolder(o.Root), cache: preview.OpenCache(o.CacheDir, o.CacheLimit),
		limits: o.limits, loaded: make(chan struct{}), ending: make(chan struct{})}
	s.guard = newGuard(l.Addr().(*net.TCPAddr).Port)
	srv := &Server{s: s, listener: ownListener{l}}
	srv.http = &http.Server{
		Handler: s.guard.protect(s.routes()), ReadHeaderTimeout: headerTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(discard{}, "", 0), // of clients that go away; a terminal has no use for it
	}
	go s.load()
	return srv, nil
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

// ownListener closes connections of other users.
type ownListener struct{ net.Listener }

func (l ownListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if !otherUser(c.LocalAddr(), c.RemoteAddr()) {
			return c, nil
		}
		_ = c.Close()
	}
}

// Port is the port in use.
func (s *Server) Port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// Address is what a person opens. It holds as long as the program runs.
func (s *Server) Address() string { return s.s.guard.address(s.base(), false) }

// LaunchAddress is what the browser is given. It holds once.
func (s *Server) LaunchAddress() string { return s.s.guard.address(s.base(), true) }

func (s *Server) base() string { return fmt.Sprintf("http://127.0.0.1:%d", s.Port()) }

// Serve answers until ctx ends. What is being answered then is finished, for a few seconds at most.
func (s *Server) Serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	close(s.s.ending)
	end, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if err := s.http.Shutdown(end); err != nil {
		_ = s.http.Close()
	}
	s.s.index.Lock()
	defer s.s.index.Unlock()
	if s.s.index.x != nil {
		return s.s.index.x.Close()
	}
	return nil
}

func (s *server) routes() http.Handler {
	m := http.NewServeMux()
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // it is in the binary
	}
	m.Handle("GET /static/", http.StripPrefix("/static/", assets(files)))
	for _, place := range []string{"GET /{$}", "GET /photo/{id}", "GET /run"} {
		m.HandleFunc(place, s.servePage)
	}
	m.HandleFunc("GET /api/photos", s.serveList)
	m.HandleFunc("GET /api/texts", s.serveTexts)
	m.HandleFunc("GET /api/facets", s.serveFacets)
	m.HandleFunc("GET /api/photo/{id}", s.servePhoto)
	m.HandleFunc("POST /api/photo/{id}/correction", s.serveCorrection)
	m.HandleFunc("GET /api/choices", s.serveChoices)
	m.HandleFunc("POST /api/requests", s.serveAsk)
	m.HandleFunc("GET /api/run", s.serveRun)
	m.HandleFunc("GET /api/run/events", s.serveRunEvents)
	m.HandleFunc("GET /thumbnail/{id}", s.serveThumbnail)
	m.HandleFunc("GET /picture/{id}", s.servePicture)
	return m
}

// assets serves the page's own files with types that do not depend on the system.
func assets(files fs.FS) http.Handler {
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := fs.ReadFile(files, strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/"))
		kind := kinds[path.Ext(r.URL.Path)]
		if err != nil || kind == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(b)
	})
}

func (s *server) servePage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, pageOf(s.folder.root))
}

func (s *server) serveFacets(w http.ResponseWriter, r *http.Request) {
	if err := s.refresh(r.Context()); err != nil {
		s.fail(w, err)
		return
	}
	s.writeJSON(w, s.library.facets())
}

func (s *server) writeJSON(w http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b)
}

// fail tells the page what went wrong.
func (s *server) fail(w http.ResponseWriter, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	http.Error(w, err.Error(), http.StatusInternalServerError)
}

func (s *server) warnOnce(err error) {
	if !errors.Is(err, context.Canceled) {
		s.warned.Do(func() { s.o.Warn(err.Error()) })
	}
}

// load reads the library for the first time and then brings the search index up to date.
func (s *server) load() {
	if s.o.Catalogue != "" {
		_ = s.library.load(s.o.Catalogue) // without it the outputs are read
	}
	before := s.library.current()
	err := s.library.update()
	if err == nil {
		s.library.warm()
	} else {
		s.warnOnce(err)
	}
	close(s.loaded)
	if err == nil && s.o.Catalogue != "" && s.library.current() != before {
		_ = s.library.save(s.o.Catalogue) // it only saves time
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	if _, _, err := s.search(ctx, "a", view{}, s.limits.shown); err != nil && ctx.Err() == nil {
		s.warnOnce(err)
	}
}

// refresh waits for the library and reads what was added to the outputs.
func (s *server) refresh(ctx context.Context) error {
	select {
	case <-s.loaded:
	case <-ctx.Done():
		return ctx.Err()
	}
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	if time.Since(s.refreshing.last) < refreshEvery {
		return nil
	}
	err := s.library.update()
	s.refreshing.last = time.Now()
	return err
}
