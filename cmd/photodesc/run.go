package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"photodesc/llm"
	"photodesc/models"
	"photodesc/photo"
	"photodesc/pool"
	"photodesc/tracker"
)

func runCommand(g *global) *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:     "run DIR",
		Short:   "Describe every photo under DIR that is not yet described",
		Long:    runHelp + exitCodesHelp,
		Example: "  photodesc run ~/Pictures\n  photodesc run --prompt short --prompt keywords ~/Pictures\n  photodesc -C ~/descriptions run --detail high --batch-size 50 /mnt/nas/photos",
		Args:    exactly(1, "one folder of photos"),
	}
	f.register(c.Flags())
	c.RunE = func(_ *cobra.Command, args []string) error {
		_, s, err := f.configure(g.dir, c.Flags())
		if err != nil {
			return err
		}
		r := &runner{dir: g.dir, flags: f, set: s, started: time.Now(), foreground: findForeground()}
		if f.background && r.foreground == nil {
			return runInBackground(g.dir, c.OutOrStdout())
		}
		r.args = append([]string{"run"}, goOnArgs(c.Flags())...)
		if f.json {
			r.events = newEvents(os.Stdout, func(err error) {
				fmt.Fprintf(os.Stderr, "photodesc: events have no reader any more (%v); the run goes on\n", err)
			})
		}
		return r.run(args[0])
	}
	return c
}

// runner is one run: it opens the rooms in the order of a photo's way and
// hands each photo through.
type runner struct {
	dir   string // workdir
	root  string // photo folder, absolute
	flags runFlags
	set   settings
	args  []string // that go on with this run
	model models.Wanted

	// Who watches beside the person at the terminal; each may be nil.
	events     *events
	service    *serviceManager
	foreground *foreground

	track   *tracker.Tracker
	log     *zap.Logger
	detail  *zap.Logger // what a terminal shows as a bar and not as lines
	show    *progress
	started time.Time
	plan    pool.Plan
	left    int      // photos left for the next run by --limit
	unread  int      // folders that could not be read
	links   []string // where links among the photos lead
	good    string   // a photo that was described in an earlier run
	pool    atomic.Pointer[pool.Pool]
	stats   pool.Stats     // when the pool has ended
	pauses  []string       // the pool's reasons to hand out no photos
	waiting string         // for what, when nothing is in flight for that
	asked   chan os.Signal // for the progress
	signals chan os.Signal // to stop
}

func (r *runner) run(dir string) (err error) {
	defer r.heedSignals()()
	defer func() { r.endEvents(exitCode(err), err) }()
	if r.root, err = photoFolder(dir); err != nil {
		return err
	}
	if err = r.findModel(); err != nil {
		return err
	}
	r.track, err = tracker.Open(r.dir, tracker.Options{Root: r.root, RetryFailed: r.flags.retryFailed})
	if err != nil {
		return err
	}
	// The lock is ours: from here on everything is logged.
	defer func() {
		r.track.Live().Stop(stopReason(err))
		if e := r.track.Close(); e != nil {
			fmt.Fprintf(os.Stderr, "photodesc: %v\n", e)
			err = &exit{code: exitError, err: errors.Join(err, e), said: true}
		}
	}()
	r.foreground.say(wordLocked)
	r.service = findServiceManager()
	r.service.ready()
	defer r.service.close()
	file, err := r.openLog()
	if err != nil {
		return err
	}
	defer file.Close()
	r.show = newProgress(os.Stderr)
	defer r.show.plain.flush()
	defer r.show.end()
	r.log, r.detail = newLog(file, r.show)
	for _, n := range r.track.Notes() {
		r.note(n)
	}
	err = r.describe()
	var e *exit
	if err != nil && !(errors.As(err, &e) && (e.said || e.err == nil)) {
		r.show.end()
		r.log.Error(err.Error())
		err = &exit{code: exitCode(err), err: err, said: true}
	}
	return err
}

// photoFolder checks the folder and makes it absolute, links and all, so that
// the same folder is the same workdir's from wherever it is named.
func photoFolder(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	info, err := os.Stat(abs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("there is no folder %q\n  give the folder that holds the photos", dir)
	case err != nil:
		return "", err
	case !info.IsDir():
		return "", fmt.Errorf("%q is a file\n  give the folder that holds it; all photos under it are described", dir)
	}
	return abs, nil
}

func (r *runner) openLog() (*os.File, error) {
	name := tracker.LogPath(r.dir, r.started)
	return os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
}

func (r *runner) note(n tracker.Note) {
	if n.Level == tracker.Warn {
		r.log.Warn(n.String())
	} else {
		r.log.Info(n.String())
	}
}

// describe does the work: walk, plan, run the pool.
func (r *runner) describe() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := r.catchSignals(cancel)
	defer stop()

	r.log.Info(fmt.Sprintf("photodesc %s, model %s, photos in %q", version, r.model.Name, r.root))
	if r.model.Name == "builtin" {
		r.log.Info(models.BuiltinNote)
	}
	if text := r.set.ask.text(); text != "" {
		r.log.Info(text)
	}
	// For a model that is not here, before it is fetched and when that is done.
	for _, fetch := range []func(context.Context) error{r.agree, r.fetchModel, r.agree} {
		if r.track.SettingsID() != "" {
			break
		}
		if err := fetch(ctx); err != nil {
			return r.stopped(err)
		}
	}
	r.track.Live().SetArgs(append(r.args, r.root))
	todo, err := r.walk(ctx)
	if err != nil {
		return r.stopped(err)
	}
	if len(todo) == 0 {
		r.startEvent(0)
		return r.finish()
	}
	r.show.wait("loading the model")
	r.track.Live().SetPhase("loading model")
	m, err := measure(ctx, r.workerJob())
	if err != nil {
		return r.stopped(err)
	}
	r.plan = r.set.plan(m)
	r.log.Info(r.plan.Sum)
	r.log.Info(fmt.Sprintf("%s, each with %s at once on %s; batches of %s",
		plural(r.plan.Workers, "worker"), plural(r.plan.InFlight, "photo"), plural(r.threads(), "thread"), comma(r.flags.batchSize)))
	r.track.Live().SetRun(r.model.Name, r.set.ask.first(), r.flags.timeout)

	defer r.stayAwake()()
	p := pool.New(r.poolConfig())
	r.pool.Store(p)
	r.startEvent(len(todo))
	r.show.begin(len(todo))
	r.stats, err = p.Run(ctx, slices.Values(todo), r.keep)
	r.show.end()
	r.service.stopping()
	if err != nil {
		return r.stopped(explain(err))
	}
	return r.finish()
}

// stopped turns the pool's and the context's words for a request to stop into
// ours; other errors pass.
func (r *runner) stopped(err error) error {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, pool.ErrStopped) && !errors.Is(err, pool.ErrKilled) {
		if r.stats.Photos() > 0 {
			r.log.Info(r.summary().text())
		}
		return err
	}
	c := r.track.Counts()
	r.show.end()
	if r.stats.Photos() > 0 {
		r.log.Info(r.summary().text())
	}
	r.log.Info(fmt.Sprintf("Stopped on request after %s photos; the next run goes on", comma(c.NewDone)))
	return &exit{code: exitStopped}
}

// walk finds what is to be done and tells of what is not.
func (r *runner) walk(ctx context.Context) (todo []string, err error) {
	r.track.Live().SetPhase("looking for photos")
	r.show.wait("looking for photos")
	var found, done, failed, problems int
	linked := newLinks(r.root)
	opts := photo.WalkOptions{Skip: r.ownFiles(), Link: linked.add}
	opts.Problem = func(p photo.Problem) {
		if p.Folder {
			r.unread++
			r.log.Warn(fmt.Sprintf("Folder %q is left out: %v", p.Path, p.Err.Err))
			return
		}
		if r.track.Done(p.Path) { // when it was still a file
			return
		}
		problems++
		if _, known := r.track.Failed(p.Path); known {
			return
		}
		if e := r.track.Add(r.failure(p.Path, string(p.Err.Kind), p.Err.Err.Error(), 0)); e != nil && err == nil {
			err = e
		}
	}
	walkErr := photo.Walk(ctx, r.root, opts, func(rel string) error {
		if found++; found%1000 == 0 {
			r.show.wait("looking for photos: " + comma(found) + " so far")
		}
		switch {
		case r.track.Done(rel):
			done++
			r.good = rel
		case r.isFailed(rel):
			failed++
		case r.flags.limit == 0 || len(todo) < r.flags.limit:
			todo = append(todo, rel)
		default:
			r.left++
		}
		return err // of Problem
	})
	if err == nil {
		err = walkErr
	}
	if err != nil {
		return nil, err
	}
	r.links = linked.paths()
	if found == 0 {
		r.log.Warn(fmt.Sprintf("There is no photo in %q", r.root))
	}
	c := r.track.Counts()
	r.track.Live().SetTotal(c.Done + c.Failed + len(todo) + r.left)
	r.log.Info(fmt.Sprintf("Found %s: %s described, %s failed, %s to do",
		plural(found, "photo"), comma(done), comma(failed+problems), comma(len(todo))))
	return todo, nil
}

func (r *runner) isFailed(rel string) bool {
	_, failed := r.track.Failed(rel)
	return failed
}

// ownFiles are the workdir's own files, which may lie among the photos.
func (r *runner) ownFiles() []string {
	var own []string
	for _, name := range []string{tracker.OutputsName, tracker.LogsName} {
		own = append(own, filepath.Join(r.dir, name))
	}
	return own
}

// threads is the number of threads of one worker.
func (r *runner) threads() int {
	if r.set.threads > 0 {
		return r.set.threads
	}
	return r.plan.Cores
}

// decodeAhead is how many photos more than its slots a worker holds, so that
// pixels are ready when a slot is free.
const decodeAhead = 2

func (r *runner) workerJob() workerJob {
	return workerJob{
		Root:      rawPath(r.root),
		Links:     rawPaths(r.links),
		Untrusted: r.flags.untrusted,
		MaxBytes:  int64(r.plan.Photo),
		Decoders:  2,
		Ask:       r.set.ask,
		Engine: llm.Options{
			Model: r.model.Text, Vision: r.model.Vision,
			Detail:   r.set.detail,
			Parallel: max(r.plan.InFlight, 1), Threads: r.threads(),
			MaxTokens: r.flags.maxTokens, Exact: r.flags.exact,
			Sampling: llm.Sampling{
				Temperature: r.flags.temperature, TopP: r.flags.topP,
				RepeatPenalty: r.flags.repeatPenalty, Seed: r.flags.seed,
			},
		},
	}
}

// ownBinary is the file this process was started from, even if an upgrade has
// put another in its place since.
func ownBinary() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// workerProcess is the command of a worker: this binary again.
func workerProcess(job workerJob) (*exec.Cmd, error) {
	self, err := ownBinary()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(job)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "worker")
	cmd.Args[0] = "photodesc" // what ps shows
	cmd.Env = append(workerEnvironment(os.Environ()), workerJobEnv+"="+string(text))
	return cmd, nil
}

func (r *runner) poolConfig() pool.Config {
	return pool.Config{
		Command: func(int) *exec.Cmd {
			cmd, err := workerProcess(r.workerJob())
			if err != nil {
				return &exec.Cmd{Err: err}
			}
			return cmd
		},
		Version:   version,
		Workers:   r.plan.Workers,
		InFlight:  r.plan.InFlight + decodeAhead,
		BatchSize: r.flags.batchSize,
		Cooldown:  r.set.cooldown,
		Prestart:  r.plan.Prestart,
		Timeout:   r.flags.timeout,
		Memory:    r.plan.Own,
		MaxTemp:   r.flags.maxTemp,
		Good:      r.good,
		Log:       r.detail,
		Output:    r.workerSays,
		Observe:   r.observe,
	}
}

// keep records one photo's result; an error of it ends the run.
func (r *runner) keep(res pool.Result) error {
	var rec tracker.Record
	if res.Failure != nil {
		rec = r.failure(res.Path, res.Failure.Kind, res.Failure.Message, res.Attempts)
		rec.Seconds.Total = res.Seconds
	} else if err := json.Unmarshal(res.Data, &rec); err != nil {
		rec = r.failure(res.Path, string(tracker.Model), fmt.Sprintf("the worker's answer cannot be read: %v", err), res.Attempts)
	}
	rec.Path, rec.Attempts, rec.Time = res.Path, res.Attempts, time.Now()
	rec.Model, rec.Prompt, rec.Settings = r.model.Name, r.set.ask.first(), r.track.SettingsID()
	if err := r.track.Add(rec); err != nil {
		return err
	}
	if rec.Status == tracker.Failed {
		tried := ""
		if rec.Attempts > 1 {
			tried = fmt.Sprintf(" (tried %d times)", rec.Attempts)
		}
		r.log.Warn(fmt.Sprintf("Failed: %s: %s%s: %s", tracker.EncodePath(rec.Path), rec.Error.Kind, tried, rec.Error.Message))
	}
	line, remaining := r.show.photo(rec)
	if line != "" {
		r.detail.Info(line)
		r.service.status(line)
	}
	r.photoEvent(rec, res.Batch, remaining)
	return nil
}

func (r *runner) failure(path, kind, message string, attempts int) tracker.Record {
	k := tracker.Kind(kind)
	if !slices.Contains(tracker.Kinds, k) {
		k = tracker.Model
	}
	return tracker.Record{
		Path: path, Status: tracker.Failed, Attempts: attempts, Time: time.Now(),
		Model: r.model.Name, Prompt: r.set.ask.first(),
		Error: &tracker.RecordError{Kind: k, Message: message},
	}
}

// finish says how it ended and gives the exit code.
func (r *runner) finish() error {
	c := r.track.Counts()
	r.show.end()
	r.log.Info(r.summary().text())
	switch {
	case r.left > 0:
		r.log.Info(fmt.Sprintf("%s left by --limit; the next run goes on", plural(r.left, "photo")))
	case c.Failed == 0 && r.unread == 0:
		r.log.Info(fmt.Sprintf("Done: all %s are described", plural(c.Done, "photo")))
	}
	if r.unread > 0 {
		r.log.Warn(fmt.Sprintf("%s could not be read; what is in there is not described", plural(r.unread, "folder")))
	}
	if c.Failed > 0 {
		r.log.Warn(fmt.Sprintf("%s failed, see `%s`; run again with --retry-failed to try once more",
			plural(c.Failed, "photo"), commandLine(r.dir, "summary", "--failed")))
	}
	if c.Failed > 0 || r.unread > 0 {
		return &exit{code: exitFailed}
	}
	return nil
}

func stopReason(err error) (tracker.StopReason, string) {
	switch exitCode(err) {
	case exitOK, exitFailed:
		return tracker.Finished, ""
	case exitStopped:
		return tracker.Stopped, ""
	}
	return tracker.Broke, err.Error()
}

func batches(n int) string {
	if n == 1 {
		return "1 batch"
	}
	return comma(n) + " batches"
}
