package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"go.uber.org/zap"

	"photodesc/internal/cluster"
	"photodesc/internal/fsutil"
	"photodesc/internal/machine"
	"photodesc/internal/spool"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/pool"
)

// nodeRun is a node from its start to its end. It may work for a run that stops and goes on, also with other settings.
type nodeRun struct {
	options  nodeOptions
	dial     dialer
	base     *runner // flags and settings of this machine
	log      *zap.Logger
	detail   *zap.Logger // what a terminal does not show
	show     *ui.Progress
	link     *cluster.Link
	stats    nodeStats
	since    time.Time
	lost     lostNotice
	maxBytes int64 // of the spool
}

// joinAgain is how long a node waits between tries to reach a run.
const joinAgain = 2 * time.Second

func (n *nodeRun) run() error {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stop := n.catch(cancel)
	n.show, n.since = ui.NewProgress(os.Stderr), time.Now()
	defer n.show.Plain.Flush()
	defer n.show.End()
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	n.log, n.detail = ui.NewLog(nowhere, n.show)
	if err := n.prepare(); err != nil {
		return err
	}
	endMetrics, err := nodeMetrics(n)
	if err != nil {
		return err
	}
	defer endMetrics()
	defer tellStatus(n)()
	defer (&logs{log: n.log}).stayAwake(n.base.flags.KeepAwake)()
	if !n.options.noProof {
		n.log.Info("Describing a test picture with the built-in model")
		text, err := checkModel(modelPatience)
		if err != nil {
			return fmt.Errorf("this machine cannot be a node: %w", err)
		}
		n.log.Info("The built-in model says of a test picture " + text)
	}
	err = n.work(ctx, stop)
	n.lost.back()
	switch {
	case errors.Is(err, errStopped):
		n.log.Info(fmt.Sprintf("Stopped on request after %s", wording.Count(n.stats.described(), "photo")))
		return &ui.Exit{Code: ui.ExitStopped}
	case err != nil:
		return err
	}
	n.log.Info(fmt.Sprintf("Done: all photos of the run have their results; this node has described %s", wording.Count(n.stats.described(), "photo")))
	return nil
}

var errStopped = errors.New("stopped on request")

// prepare checks the options.
func (n *nodeRun) prepare() (err error) {
	max, err := humanize.ParseBytes(n.options.spool)
	if err != nil || max < 1<<20 {
		return ui.UsageError("--spool-size %q is no size of 1MiB or more", n.options.spool)
	}
	n.maxBytes = int64(max)
	if n.options.photos != "" {
		if n.options.photos, err = photoFolder(n.options.photos); err != nil {
			return err
		}
	}
	return nil
}

// catch returns a channel that is closed by the first signal to stop. The second one, or SIGQUIT, ends ctx.
func (n *nodeRun) catch(cancel func()) <-chan struct{} {
	stop, signals := make(chan struct{}), make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		asked := 0
		for s := range signals {
			if asked++; asked == 1 {
				if n.log != nil {
					n.log.Info("Stopping: " + ui.FinishedFirst(n.stats.beat().InFlight) + "; once more to stop at once")
				}
				n.stats.change(func(s *nodeStats) { s.stopping = true })
				close(stop)
			}
			if s == syscall.SIGQUIT || asked > 1 {
				cancel()
				time.AfterFunc(atOnce, func() { os.Exit(ui.ExitStopped) })
			}
		}
	}()
	return stop
}

// work joins the run and describes photos until all have results.
func (n *nodeRun) work(ctx context.Context, stop <-chan struct{}) (err error) {
	joining, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-joining.Done():
		}
	}()
	if err := n.connect(joining); err != nil {
		return err
	}
	defer n.link.Close()
	defer func() { n.leave(err) }()
	var s *session
	defer func() { s.end(false) }()
	for {
		w, err := n.join(joining)
		if err != nil {
			return err
		}
		if s == nil || !s.fits(w) {
			s.end(false)
			if s, err = n.begin(joining, w); err != nil {
				if joining.Err() != nil {
					return errStopped
				}
				return err
			}
		}
		over, err := s.work(ctx, stop)
		switch {
		case joining.Err() != nil:
			s.end(ctx.Err() == nil)
			return errStopped
		case errors.Is(err, cluster.ErrUnknown):
		case err != nil:
			return err
		case over == cluster.OverFinished:
			return nil
		default:
			n.log.Info("The run was stopped. Waiting for it to go on; Ctrl-C ends this node")
		}
	}
}

// connect waits until the server is there.
func (n *nodeRun) connect(ctx context.Context) (err error) {
	told := ""
	for {
		n.link, err = n.dial.dial(n.notify)
		if err == nil {
			return nil
		}
		var setup *cluster.SetupError
		if errors.Is(err, cluster.ErrToken) || errors.Is(err, cluster.ErrFingerprint) || errors.As(err, &setup) {
			return err
		}
		if told != err.Error() {
			told = err.Error()
			n.log.Warn(fmt.Sprintf("%s cannot be reached, trying on: %v", n.dial.shown, err))
			n.log.Info("If the run has ended or was stopped, this node waits until it is started again; Ctrl-C ends this node")
		}
		n.show.Wait("waiting for " + n.dial.shown)
		select {
		case <-ctx.Done():
			return errStopped
		case <-time.After(joinAgain):
		}
	}
}

func (n *nodeRun) notify(err error) {
	var denied *cluster.DeniedError
	isDenied := errors.As(err, &denied)
	n.stats.change(func(s *nodeStats) { s.lost = err != nil && !isDenied })
	switch {
	case err == nil:
		if n.lost.back() {
			n.log.Info("The run can be reached again")
		}
	case isDenied:
		n.log.Warn(ui.OneLine(err.Error()))
	default:
		n.lost.lost(func() { n.log.Warn("The run cannot be reached, trying on: " + ui.OneLine(err.Error())) })
	}
}

// unanswered is how long a node waits for a run to answer before it says so.
const unanswered = 10 * time.Second

func (n *nodeRun) nobodyAnswers() {
	if n.dial.run == "" { // the server is part of the run
		n.log.Info("The run does not take nodes yet, or not any more. Waiting; Ctrl-C ends this node")
		return
	}
	n.log.Warn(fmt.Sprintf("No run %s answers at %s, trying on: is it up, is that the --run that it has printed, and is it in the same account of the server?", n.dial.run, n.dial.shown))
	n.log.Info("If the run has ended or was stopped, this node waits until it is started again; Ctrl-C ends this node")
}

// join says hello until the run answers.
func (n *nodeRun) join(ctx context.Context) (cluster.Welcome, error) {
	n.show.Wait("waiting for the run")
	name := n.options.name
	if name == "" {
		name = machineName()
	}
	defer time.AfterFunc(unanswered, n.nobodyAnswers).Stop()
	w, err := n.link.Join(ctx, n.dial.run, name, version, machine.CPUs())
	if ctx.Err() != nil {
		return w, errStopped
	}
	if err == nil {
		n.stats.join(w)
	}
	return w, err
}

// session is a node's work with one model and one set of settings.
type session struct {
	node    *nodeRun
	welcome cluster.Welcome
	run     *runner
	config  worker.Config
	spool   *spool.Spool
	pool    *pool.Pool
	jobs    *nodeJobs
	ended   chan struct{} // when the pool has ended
	err     error         // of the pool
	slots   int
}

// fits is whether the session can go on under another welcome.
func (s *session) fits(w cluster.Welcome) bool {
	select {
	case <-s.ended:
		return false
	default:
	}
	return w.Settings == s.welcome.Settings && w.Model == s.welcome.Model && bytes.Equal(w.Work, s.welcome.Work)
}

// begin prepares the model and starts workers.
func (n *nodeRun) begin(ctx context.Context, w cluster.Welcome) (_ *session, err error) {
	n.log.Info(fmt.Sprintf("Joined the run at %s as %s, model %s", n.dial.shown, w.Name, w.Model.Name))
	var work nodeWork
	if err := json.Unmarshal(w.Work, &work); err != nil || len(work.Ask.Prompts) == 0 {
		return nil, errors.Join(errors.New("what the run asks for cannot be read"), err)
	}
	if work.Untrusted && !n.base.flags.Untrusted {
		return nil, errors.New("the run uses image decoders that are not safe against hostile files\n  --untrusted-loaders allows them here, too")
	}
	s := &session{node: n, welcome: w, ended: make(chan struct{})}
	defer func() {
		if err != nil && s.spool != nil {
			s.spool.Close()
		}
	}()
	r := &runner{dir: n.base.dir, flags: n.base.flags, set: n.base.set}
	r.log, r.detail, r.show = n.log, n.detail, n.show
	r.set.Ask, r.set.Detail = work.Ask, work.Detail
	r.flags.MaxTokens, r.flags.Exact, r.flags.Timeout, r.flags.Untrusted = work.MaxTokens, work.Exact, work.Timeout, work.Untrusted
	r.flags.Temperature, r.flags.TopP, r.flags.RepeatPenalty, r.flags.Seed = work.Sampling.Temperature, work.Sampling.TopP, work.Sampling.RepeatPenalty, work.Sampling.Seed
	r.flags.XMP = work.Inside
	if r.model.Files, err = n.findModel(ctx, w.Model); err != nil {
		return nil, err
	}
	s.run = r
	parent, err := spoolFolder()
	if err != nil {
		return nil, err
	}
	if s.spool, err = spool.Open(parent, spool.Options{MaxBytes: n.maxBytes, Waiting: n.waitsForRoom}); err != nil {
		return nil, fmt.Errorf("there is no room for photos that are fetched: %w", err)
	}
	r.root = s.spool.Dir()
	r.source = folderPhotos(r.root)
	if err := s.plan(ctx, work); err != nil {
		return nil, err
	}
	s.jobs = newNodeJobs(s)
	s.pool = pool.New(s.poolConfig())
	go func() {
		defer close(s.ended)
		_, s.err = s.pool.Run(context.Background(), s.jobs.paths(), s.jobs.done)
		s.jobs.giveUp()
	}()
	return s, nil
}

// waitsForRoom tells why no photo can be fetched, and when that is over.
func (n *nodeRun) waitsForRoom(why string) {
	n.stats.setBlocked(why)
	if why != "" {
		n.log.Warn("No photo can be fetched until there is room: " + why)
	} else {
		n.log.Info("Photos can be fetched again")
	}
}

// spoolFolder is where nodes keep fetched photos.
func spoolFolder() (string, error) {
	dir, err := fsutil.CacheDir("node")
	if err != nil {
		dir = filepath.Join(os.TempDir(), fmt.Sprintf("photodesc-node-%d", os.Getuid()))
	}
	return filepath.Join(dir, "spool"), os.MkdirAll(dir, 0o700)
}

// plan measures the model and shares out memory and cores.
func (s *session) plan(ctx context.Context, work nodeWork) error {
	n, r := s.node, s.run
	n.show.Wait("measuring the model")
	config := func() worker.Config {
		c := r.workerConfig()
		c.Thumbnails = work.Thumbnails
		if n.options.photos != "" {
			c.Links = append(c.Links, rawPathOf(n.options.photos))
		}
		return c
	}
	m, err := worker.Measure(ctx, config(), r.flags.Nice)
	if err != nil {
		return err
	}
	r.plan = r.set.Plan(m, 0)
	n.log.Info(r.plan.Sum)
	if !r.plan.Fits {
		return fmt.Errorf("one worker with one photo needs more than the memory budget\n  give more with --memory (%q now)", r.flags.Memory)
	}
	n.log.Info(planText(r.plan, &r.flags))
	s.config = config()
	s.slots = r.plan.Workers * (r.plan.Slots + worker.DecodeAhead)
	return nil
}

func (s *session) poolConfig() pool.Config {
	n, r := s.node, s.run
	return pool.Config{
		Command: startsWorkers(func() worker.Config { return s.config }),
		Version: version, Workers: r.plan.Workers, Nice: r.flags.Nice, MaxInFlight: r.plan.Slots + worker.DecodeAhead,
		BatchSize: r.flags.BatchSize, Cooldown: r.set.Cooldown, Prestart: r.plan.Prestart, Timeout: r.flags.Timeout,
		Memory: r.plan.Own, Mapped: r.plan.Weights, MaxTemp: r.flags.MaxTemp, PauseOnBattery: r.flags.OnBattery == "pause",
		ReleaseIdle: releaseIdle, Fetched: s.jobs.file, Observe: n.stats.observe, Log: n.detail,
	}
}

// end ends the workers; gently finishes photos in flight. It may be called of nil and more than once.
func (s *session) end(gently bool) {
	if s == nil {
		return
	}
	s.jobs.close()
	if gently {
		s.pool.Stop()
	} else {
		s.pool.Kill()
	}
	<-s.ended
	s.spool.Close()
}

// work describes photos until the run is over or does not know this node any more.
func (s *session) work(ctx context.Context, stop <-chan struct{}) (over string, err error) {
	n := s.node
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	bar := make(chan struct{})
	go func() { defer close(bar); n.showBar(ctx) }()
	defer func() { cancel(); <-bar }()
	s.jobs.prove(1)
	over, err = n.link.Do(ctx, stop, cluster.Work{
		Slots: s.slots, Describe: s.jobs.describe, AckWait: s.welcome.AckWait,
		Beat: func() cluster.Beat {
			b := n.stats.beat()
			b.Proven, b.Unfit = s.jobs.proof()
			n.stats.setUnfit(b.Unfit)
			return b
		},
		Rejoin: func(ctx context.Context) bool {
			w, err := n.join(ctx)
			if err == nil {
				s.welcome.Name = w.Name
			}
			return err == nil && s.fits(w)
		},
		Prove: s.jobs.prove,
		Resting: func(why string) {
			if why == "" {
				n.log.Info("This node gets photos again")
			} else {
				n.log.Info("This node gets no photos for now: it is " + ui.OneLine(why))
			}
		},
		Paused: func(why string) {
			n.stats.change(func(s *nodeStats) { s.paused = why })
			if why == "" {
				n.log.Info("The run gives photos to this node again")
			} else {
				n.log.Warn("The run gives no more photos to this node: " + ui.OneLine(why))
			}
		},
	})
	select {
	case <-s.ended:
		if s.err != nil && !errors.Is(s.err, pool.ErrKilled) && !errors.Is(s.err, pool.ErrStopped) {
			return over, explain(s.err)
		}
	default:
	}
	return over, err
}
