package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// testPhoto is what photo number i holds.
func testPhoto(path string, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = path[i%len(path)] + byte(i>>8)
	}
	return b
}

type nopCloser struct{}

func (nopCloser) Close() error { return nil }

// testRun is a served run with photos that are not on any disk.
type testRun struct {
	t       testing.TB
	workdir string
	server  *Server
	co      *Coordinator
	cancel  context.CancelFunc
	done    chan error

	mu       sync.Mutex
	kept     map[string][]Outcome
	warnings []string
	infos    []string
	nodes    []Node
	news     []NodeNews
}

type testOptions struct {
	photos  []string
	local   string
	ackWait time.Duration
	size    int
	keep    func([]Outcome) error
	discard bool   // results are not kept for the test
	locked  string // a photo that cannot be opened
	onNews  func(NodeNews)
}

func numbered(n int) (paths []string) {
	for i := range n {
		paths = append(paths, fmt.Sprintf("album/photo-%06d.jpg", i))
	}
	return paths
}

// modTime is that of all test photos.
var modTime = time.Date(2020, 5, 17, 12, 30, 1, 123456789, time.UTC)

func serve(t testing.TB, o testOptions) *testRun {
	t.Helper()
	r := &testRun{t: t, workdir: t.TempDir(), kept: map[string][]Outcome{}}
	r.start(o)
	return r
}

func (r *testRun) start(o testOptions) {
	t := r.t
	t.Helper()
	id, err := LoadIdentity(r.workdir)
	if err != nil {
		t.Fatal(err)
	}
	if r.server, err = StartServer(ServerOptions{Workdir: r.workdir, Listen: "127.0.0.1:0", Identity: id}); err != nil {
		t.Fatal(err)
	}
	nc, err := r.server.Connect()
	if err != nil {
		t.Fatal(err)
	}
	o.size = max(o.size, 1000)
	if o.ackWait == 0 {
		o.ackWait = 2 * time.Second
	}
	open := func(path string) (Photo, error) {
		if path == o.locked {
			return Photo{}, errors.New("permission denied: /home/ada/" + path)
		}
		return Photo{bytes.NewReader(testPhoto(path, o.size)), nopCloser{}, int64(o.size), modTime}, nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.co, err = New(ctx, Config{
		Conn: nc, Run: id.Run, Secret: id.Secret, Settings: "settings", Version: "test", Photos: o.photos, Local: o.local, Memory: true,
		Stat: func(string) (int64, time.Time, error) { return int64(o.size), modTime, nil },
		Open: open, OpenModel: func(file int) (Photo, error) { return open(fmt.Sprint("model", file)) },
		Probe: func(path string) error {
			if path == o.locked {
				return errors.New("permission denied")
			}
			return nil
		},
		Keep: func(list []Outcome) error {
			if o.keep != nil {
				if err := o.keep(list); err != nil {
					return err
				}
			}
			if o.discard {
				return nil
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, out := range list {
				r.kept[out.Path] = append(r.kept[out.Path], out)
			}
			return nil
		},
		Warn:    func(text string) { r.mu.Lock(); r.warnings = append(r.warnings, text); r.mu.Unlock() },
		Info:    func(text string) { r.mu.Lock(); r.infos = append(r.infos, text); r.mu.Unlock() },
		PutOut:  r.server.PutOut,
		Observe: func(list []Node) { r.mu.Lock(); r.nodes = list; r.mu.Unlock() },
		News: func(n NodeNews) {
			r.mu.Lock()
			r.news = append(r.news, n)
			r.mu.Unlock()
			if o.onNews != nil {
				o.onNews(n)
			}
		},
		AckWait: o.ackWait, Tick: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.cancel, r.done = cancel, make(chan error, 1)
	go func() {
		err := r.co.Run(ctx)
		if err != nil {
			t.Logf("the run ends: %v", err)
		}
		r.done <- err
	}()
	t.Cleanup(func() { cancel(); nc.Close(); r.server.Close() })
}

func (r *testRun) address() Address { return r.server.Address("127.0.0.1") }

func (r *testRun) run() string { return r.server.identity.Run }

// wait waits for the end of the run.
func (r *testRun) wait() {
	r.t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			r.t.Fatal(err)
		}
	case <-time.After(2 * time.Minute):
		r.t.Fatalf("the run does not end; %d photos are left", r.co.Left())
	}
}

// once checks that each photo has exactly one result.
func (r *testRun) once(photos []string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range photos {
		if n := len(r.kept[p]); n != 1 {
			r.t.Errorf("%s has %d results", p, n)
		}
	}
	if len(r.kept) != len(photos) {
		r.t.Errorf("%d photos have results, want %d", len(r.kept), len(photos))
	}
}

// joinRun runs a node until the run is over.
func joinRun(ctx context.Context, a Address, run, name string, slots int, describe func(context.Context, Job) (Answer, error)) (string, error) {
	l, err := Dial(a, RandomSecret(), func(error) {})
	if err != nil {
		return "", err
	}
	defer l.Close()
	for {
		w, err := l.Join(ctx, run, name, "test", 2)
		if err != nil {
			return "", err
		}
		over, err := l.Do(ctx, nil, Work{Slots: slots, Describe: describe, Beat: func() Beat { return Beat{} }, Prove: func(int) {}, AckWait: w.AckWait})
		if !errors.Is(err, ErrUnknown) {
			return over, err
		}
	}
}

var described = Answer{Attempts: 1, Seconds: 0.01, Data: []byte(`{"description":"a photo"}`)}

// fetchAndCheck fetches a photo and compares it.
func fetchAndCheck(ctx context.Context, j Job) error {
	var got bytes.Buffer
	if err := j.Fetch(ctx, func(b []byte) error { got.Write(b); return nil }); err != nil {
		return err
	}
	if !bytes.Equal(got.Bytes(), testPhoto(j.Path, int(j.Size))) || !j.ModTime.Equal(modTime) {
		return fmt.Errorf("%s arrived changed", j.Path)
	}
	return nil
}

// Nodes and this machine share a run; each photo arrives whole and has one result.
func TestShare(t *testing.T) {
	photos := append(numbered(60), "odd\n\"name\xff .jpg", "-rf.jpg")
	r := serve(t, testOptions{photos: photos, local: "here", size: ChunkSize + 5})
	ctx, end := context.WithCancel(t.Context())
	defer end()
	var wait sync.WaitGroup
	for i := range 3 {
		wait.Go(func() {
			over, err := joinRun(ctx, r.address(), r.run(), "desk", 4, func(ctx context.Context, j Job) (Answer, error) {
				err := fetchAndCheck(ctx, j)
				if err != nil && ctx.Err() == nil { // else another machine was faster, and the run is over
					t.Error(err)
				}
				return described, err
			})
			if over != OverFinished && ctx.Err() == nil {
				t.Errorf("node %d: %q, %v", i, over, err)
			}
		})
	}
	for path := range r.co.Jobs(t.Context(), 2) {
		time.Sleep(20 * time.Millisecond)
		if r.co.LocalAnswer(path, described) {
			r.mu.Lock()
			r.kept[path] = append(r.kept[path], Outcome{path, "here", described})
			r.mu.Unlock()
		}
		r.co.Recorded()
	}
	r.wait()
	end()
	wait.Wait()
	r.once(photos)
	by := map[string]int{}
	for _, list := range r.kept {
		by[list[0].Machine]++
	}
	if len(by) < 2 {
		t.Errorf("photos by machine: %v", by)
	}
	t.Log(by)
}
