// Package buckettest serves objects by the protocol of S3 on this machine, for tests: with faults if these are wanted.
package buckettest

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Bucket is the name of the bucket that a Server has.
const Bucket = "photos"

// Access keys that a test gives the program.
const (
	AccessKey = "AKIATESTTESTTEST"
	Secret    = "secret-that-nobody-may-see"
)

// Fault is what becomes of a request.
type Fault struct {
	Status int           // answer with this status and Code
	Code   string        // of the error, "AccessDenied"
	Cut    int           // close the connection after so many bytes of the body
	Stall  time.Duration // send nothing for so long after the header
	ETag   string        // of the answer
	Drop   bool          // close the connection at once
}

// Server is an S3 storage.
type Server struct {
	URL     string
	backend gofakes3.Backend
	http    *httptest.Server

	mu       sync.Mutex
	fault    func(r *http.Request, key string) Fault
	requests map[string]int // by method and key
}

// New starts a storage with an empty bucket. It ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Start starts a storage with an empty bucket.
func Start() (*Server, error) {
	s := &Server{backend: s3mem.New(), requests: map[string]int{}}
	if err := s.backend.CreateBucket(Bucket); err != nil {
		return nil, err
	}
	real := gofakes3.New(s.backend, gofakes3.WithTimeSkewLimit(0)).Server()
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(real, w, r) }))
	s.URL = s.http.URL
	return s, nil
}

// Close ends the storage.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// Environment are the variables by which a program finds the storage, and no other.
func (s *Server) Environment() []string {
	return []string{"AWS_ENDPOINT_URL=" + s.URL, "AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + Secret, "AWS_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/nonexistent", "AWS_SHARED_CREDENTIALS_FILE=/nonexistent"}
}

// Put writes an object.
func (s *Server) Put(t testing.TB, key string, body []byte) {
	t.Helper()
	if err := s.Write(key, body); err != nil {
		t.Fatal(err)
	}
}

// Write writes an object.
func (s *Server) Write(key string, body []byte) error {
	_, err := s.backend.PutObject(Bucket, key, map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, bytes.NewReader(body), int64(len(body)), nil)
	return err
}

// Delete removes an object.
func (s *Server) Delete(key string) error {
	_, err := s.backend.DeleteObject(Bucket, key)
	return err
}

// SetFault has fault decide what becomes of each request for an object, or for the list, with key "". nil ends that.
func (s *Server) SetFault(fault func(r *http.Request, key string) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

// Requests returns how often an object was asked for, or the list, with key "".
func (s *Server) Requests(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[key]
}

// Writes returns how many requests were other than GET and HEAD.
func (s *Server) Writes() int { return s.Requests("\x00writes") }

func (s *Server) serve(real http.Handler, w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/"+Bucket), "/")
	s.mu.Lock()
	s.requests[key]++
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		s.requests["\x00writes"]++
	}
	fault := s.fault
	s.mu.Unlock()
	var f Fault
	if fault != nil {
		f = fault(r, key)
	}
	switch {
	case f.Drop:
		drop(w)
	case f.Status != 0:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, "<?xml version=\"1.0\"?><Error><Code>"+f.Code+"</Code><Message>as the test wants</Message></Error>")
	case f.Cut > 0 || f.Stall > 0 || f.ETag != "":
		answer := httptest.NewRecorder()
		real.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		if f.ETag != "" {
			w.Header().Set("ETag", `"`+f.ETag+`"`)
		}
		w.WriteHeader(answer.Code)
		body := answer.Body.Bytes()
		if f.Cut > 0 {
			_, _ = w.Write(body[:min(f.Cut, len(body))])
			_ = http.NewResponseController(w).Flush()
			drop(w)
			return
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(f.Stall):
		case <-r.Context().Done():
		}
		_, _ = w.Write(body)
	default:
		real.ServeHTTP(w, r)
	}
}

// drop closes the connection of a request.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
