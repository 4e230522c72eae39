package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"photodesc/internal/cluster"
	"photodesc/internal/fsutil"
	"photodesc/internal/kinds"
	"photodesc/internal/spool"
	"photodesc/internal/storage"
	"photodesc/pool"
	"photodesc/tracker"
)

// nodeJobs are the photos that a node has: they are fetched, described by the pool, and answered.
type nodeJobs struct {
	session *session
	queue   chan string   // photos that are there, for the pool
	quit    chan struct{} // no more photos
	once    sync.Once

	mu      sync.Mutex
	photos  map[string]*nodePhoto // by path
	proven  int
	proving bool
	unfit   string
	over    bool
}

// nodePhoto is a photo that the node has.
type nodePhoto struct {
	file   string // below the spool
	answer chan pool.Result
}

func newNodeJobs(s *session) *nodeJobs {
	return &nodeJobs{session: s, queue: make(chan string), quit: make(chan struct{}), photos: map[string]*nodePhoto{}}
}

var (
	errEnded = errors.New("this node ends")
)

// describe does a job: it fetches the photo and waits for what the pool makes of it.
func (j *nodeJobs) describe(ctx context.Context, job cluster.Job) (cluster.Answer, error) {
	p := &nodePhoto{answer: make(chan pool.Result, 1)}
	if !j.add(job.Path, p) {
		return cluster.Answer{}, cluster.ErrBusy
	}
	defer j.remove(job.Path)
	file, err := j.session.photo(ctx, job)
	var large *spool.TooLargeError
	switch {
	case errors.As(err, &large):
		return cluster.Answer{Attempts: 1, Failure: &cluster.Failure{Kind: string(kinds.TooLarge), Message: err.Error() + ": give more with --spool-size"}}, nil
	case err != nil:
		return cluster.Answer{}, err
	}
	defer file.remove()
	return j.pass(ctx, job.Path, p, file.name)
}

// pass gives a photo that is there to the pool.
func (j *nodeJobs) pass(ctx context.Context, path string, p *nodePhoto, file string) (cluster.Answer, error) {
	j.mu.Lock()
	p.file = file
	j.mu.Unlock()
	select {
	case j.queue <- path:
	case <-ctx.Done():
		return cluster.Answer{}, ctx.Err()
	case <-j.quit:
		return cluster.Answer{}, errEnded
	}
	select {
	case res, ok := <-p.answer:
		if !ok {
			return cluster.Answer{}, errEnded
		}
		a := cluster.Answer{Attempts: res.Attempts, Seconds: res.Seconds, Data: res.Data}
		if f := res.Failure; f != nil {
			a.Failure = &cluster.Failure{Kind: f.Kind, Message: f.Message, Data: f.Data}
		}
		return a, nil
	case <-ctx.Done():
		return cluster.Answer{}, ctx.Err()
	}
}

func (j *nodeJobs) add(path string, p *nodePhoto) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.over || j.photos[path] != nil {
		return false
	}
	j.photos[path] = p
	return true
}

func (j *nodeJobs) remove(path string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.photos, path)
}

// paths are what the pool works off.
func (j *nodeJobs) paths() iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			select {
			case path := <-j.queue:
				if !yield(path) {
					return
				}
			case <-j.quit:
				return
			}
		}
	}
}

// close ends paths.
func (j *nodeJobs) close() { j.once.Do(func() { close(j.quit) }) }

// file is where a photo lies below the spool.
func (j *nodeJobs) file(path string) (string, *pool.Failure) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if p := j.photos[path]; p != nil {
		return p.file, nil
	}
	return "", &pool.Failure{Kind: string(kinds.Unreadable), Message: "the job was given back"}
}

// done passes an answer of the pool on. Nobody waits for those of jobs that were given back.
func (j *nodeJobs) done(res pool.Result) error {
	if res.Path != proofName {
		j.session.node.stats.done(res)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if p := j.photos[res.Path]; p != nil {
		select {
		case p.answer <- res:
		default:
		}
	}
	return nil
}

// giveUp has everybody who waits for an answer give the job back. The pool has ended.
func (j *nodeJobs) giveUp() {
	j.close()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.over = true
	for _, p := range j.photos {
		close(p.answer)
	}
	clear(j.photos)
}

// proofName is the path of the known picture. Photos of a run have no such path.
const proofName = "\x00photodesc proof.png"

// prove describes the known picture until that was done so many times, beside other photos. It returns at once.
func (j *nodeJobs) prove(times int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.proving || j.proven >= times || j.over {
		return
	}
	j.proving = true
	go func() {
		unfit := j.tryProof()
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.proving = false; unfit == "" {
			j.proven, j.unfit = times, ""
		} else if unfit != errEnded.Error() {
			j.unfit = unfit
		}
	}()
}

func (j *nodeJobs) proof() (proven int, unfit string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.proven, j.unfit
}

// tryProof returns why the known picture could not be described, "" if it was.
func (j *nodeJobs) tryProof() string {
	dir := j.session.spool.Dir()
	f, err := os.CreateTemp(dir, "proof-*.png")
	if err != nil {
		return "its disk cannot be written to: " + err.Error()
	}
	f.Close()
	defer os.Remove(f.Name())
	if err := writeTestPicture(f.Name()); err != nil {
		return "its disk cannot be written to: " + err.Error()
	}
	p := &nodePhoto{answer: make(chan pool.Result, 1)}
	if !j.add(proofName, p) {
		return errEnded.Error()
	}
	defer j.remove(proofName)
	a, err := j.pass(context.Background(), proofName, p, filepath.Base(f.Name()))
	if err != nil {
		return errEnded.Error()
	}
	if a.Failure != nil {
		return "it cannot describe a known picture: " + a.Failure.Message
	}
	var said struct {
		Status      tracker.Status `json:"status"`
		Description string         `json:"description"`
	}
	if json.Unmarshal(a.Data, &said) != nil || said.Status != tracker.OK || strings.TrimSpace(said.Description) == "" {
		return "it has no words for a known picture"
	}
	r := j.session.run
	plain := r.set.Ask.DescribesOnly() && len(r.set.Ask.Context) == 0 && r.flags.Temperature == 0
	if model := j.session.welcome.Model.Name; model == "builtin" && plain && !strings.Contains(strings.ToLower(said.Description), testPictureWords[0]) {
		return "it describes a known picture wrongly"
	}
	return ""
}

// spooled is a photo in the spool.
type spooled struct {
	name   string
	remove func()
}

// photo brings a photo into the spool.
func (s *session) photo(ctx context.Context, job cluster.Job) (spooled, error) {
	if dir := s.node.options.photos; dir != "" {
		if f, ok := s.ownCopy(ctx, dir, job); ok {
			return f, nil
		}
	}
	file, err := s.spool.Add(ctx, job.Path, job.Size, job.ModTime, func(w io.Writer) error {
		return job.Fetch(ctx, func(b []byte) error { _, err := w.Write(b); return err })
	})
	if err != nil {
		return spooled{}, err
	}
	return spooled{file.Name(), file.Remove}, nil
}

// ownCopy is a link in the spool to the photo in the folder of --photos, if that is the same file.
func (s *session) ownCopy(ctx context.Context, dir string, job cluster.Job) (f spooled, ok bool) {
	if !filepath.IsLocal(job.Path) {
		return f, false
	}
	path := fsutil.Join(dir, job.Path)
	info, head, _, err := headOf(path)
	if err != nil || info.Size != job.Size || info.ModTime.Sub(job.ModTime).Abs() > 2*time.Second {
		return f, false
	}
	if theirs, err := job.Head(ctx); err != nil || theirs != head {
		return f, false
	}
	link, err := os.CreateTemp(s.spool.Dir(), "own-*"+safeExtension(job.Path))
	if err != nil {
		return f, false
	}
	link.Close()
	if os.Remove(link.Name()) != nil || os.Symlink(path, link.Name()) != nil {
		return f, false
	}
	return spooled{filepath.Base(link.Name()), func() { _ = os.Remove(link.Name()) }}, true
}

// safeExtension is the extension of a path if it is letters and digits.
func safeExtension(path string) string {
	ext := filepath.Ext(path)
	for _, c := range strings.TrimPrefix(ext, ".") {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return ""
		}
	}
	return ext
}

func rawPathOf(path string) storage.RawPath { return storage.RawPath(path) }
