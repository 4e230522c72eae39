package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"photodesc/internal/config"
	"photodesc/internal/models"
	"photodesc/internal/service"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

func runCommand(g *global) *cobra.Command {
	var f config.Flags
	c := &cobra.Command{
		Use:     "run [flags] DIR",
		Short:   "Describe every photo under DIR that is not yet described",
		Long:    runHelp + exitCodesHelp,
		Example: "  photodesc run ~/Pictures\n  photodesc run --prompt short --prompt keywords ~/Pictures\n  photodesc -C ~/descriptions run --detail high --batch-size 50 /mnt/nas/photos",
		Args:    photosArg,

		ValidArgsFunction:     oneFolder,
		DisableFlagsInUseLine: true,
	}
	f.Register(c.Flags())
	c.RunE = func(_ *cobra.Command, args []string) error {
		_, s, err := f.Configure(g.dir, c.Flags())
		if err != nil {
			return err
		}
		r := &runner{dir: g.dir, flags: f, set: s, started: time.Now(), foreground: findForeground()}
		if f.Background && r.foreground == nil {
			return runInBackground(g.dir, c.OutOrStdout())
		}
		r.args = append([]string{"run"}, config.GoOnArgs(c.Flags())...)
		if f.Json {
			r.events = newEvents(c.OutOrStdout(), func(err error) {
				fmt.Fprintf(os.Stderr, "photodesc: events end here, %v; the run goes on\n", err)
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
	flags config.Flags
	set   config.Settings
	args  []string // that go on with this run
	model models.Wanted

	// Who watches beside the person at the terminal; each may be nil.
	events     *events
	service    *service.Manager
	foreground *foreground

	track         *tracker.Tracker
	log           *zap.Logger
	detail        *zap.Logger // what a terminal shows as a bar and not as lines
	show          *ui.Progress
	started       time.Time
	plan          pool.Plan
	left          int                 // photos left for the next run by --limit
	unread        int                 // folders that could not be read
	gone          int                 // photos that failed before and are not there any more
	links         []string            // where links among the photos lead
	mountPoints   storage.MountPoints // folders with photos that may become unavailable on their own
	knownReadable string              // a photo that was described in an earlier run
	pool          atomic.Pointer[pool.Pool]
	stats         pool.Stats // when the pool has ended
	blanks        blankWatch
	pauses        []string       // the pool's reasons to hand out no photos
	noGPU         bool           // the last worker's model did not load on the GPU that is there
	waiting       string         // for what, when nothing is in flight for that
	asked         chan os.Signal // for the progress
	signals       chan os.Signal // to stop
	handOver      func()         // has signals be left to catchSignals
}

func (r *runner) run(dir string) (err error) {
	defer r.heedSignals()()
	defer func() { r.endEvents(ui.ExitCode(err), err) }()
	if r.root, err = photoFolder(dir); err != nil {
		return err
	}
	if err = r.findModel(); err != nil {
		return err
	}
	r.track, err = tracker.Open(r.dir, tracker.Options{Root: r.root, RetryFailed: r.flags.RetryFailed})
	if locked := (*tracker.LockedError)(nil); errors.As(err, &locked) {
		return lockedError(locked)
	}
	if err != nil {
		return err
	}
	// The lock is ours: from here on everything is logged.
	defer func() {
		r.track.Live().Stop(stopReason(err))
		if e := r.track.Close(); e != nil {
			fmt.Fprintf(os.Stderr, "photodesc: %v\n", e)
			err = &ui.Exit{Code: ui.ExitError, Err: errors.Join(err, e), Said: true}
		}
	}()
	r.foreground.say(wordLocked)
	r.service = service.FindManager()
	r.service.Ready()
	defer r.service.Close()
	file, err := r.openLog()
	if err != nil {
		return err
	}
	defer file.Close()
	r.show = ui.NewProgress(os.Stderr)
	defer r.show.Plain.Flush()
	defer r.show.End()
	r.log, r.detail = ui.NewLog(file, r.show)
	r.track.Listen(r.note)
	err = r.describe()
	var e *ui.Exit
	if err != nil && !(errors.As(err, &e) && (e.Said || e.Err == nil)) {
		r.show.End()
		r.log.Error(err.Error())
		err = &ui.Exit{Code: ui.ExitCode(err), Err: err, Said: true}
	}
	return err
}

// lockedError adds what to do about another run.
func lockedError(e *tracker.LockedError) error {
	return fmt.Errorf("%w\n  watch it with `%s`, end it with `%s`, or choose another workdir with -C",
		e, ui.CommandLine(e.Dir, "status"), ui.CommandLine(e.Dir, "stop"))
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
	go func() {
		select {
		case <-r.track.Broken():
			cancel() // there may be no photo for a long time whose Add says it
		case <-ctx.Done():
		}
	}()

	r.log.Info(fmt.Sprintf("photodesc %s, model %s, photos in %q", version, r.model.Name, r.root))
	if r.model.Name == "builtin" {
		r.log.Info(models.BuiltinNote)
		if !r.set.Ask.DescribesOnly() {
			r.log.Warn(models.BuiltinPrompts)
		}
	}
	if text := r.set.Ask.Text(); text != "" {
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
	r.show.Wait("loading the model")
	r.track.Live().SetPhase("loading model")
	m, err := worker.Measure(ctx, r.workerJob())
	if err != nil {
		return r.stopped(err)
	}
	r.plan = r.set.Plan(m)
	r.log.Info(r.plan.Sum)
	if !r.plan.Fits {
		return fmt.Errorf("one worker with one photo needs more than the memory budget\n  give more with --memory (%q now), take a smaller model, or a lower --detail", r.flags.Memory)
	}
	r.log.Info(fmt.Sprintf("%s, each with %s at once on %s; batches of %s",
		ui.Plural(r.plan.Workers, "worker"), ui.Plural(r.plan.InFlight, "photo"), ui.Plural(r.threads(), "thread"), ui.Comma(r.flags.BatchSize)))
	r.track.Live().SetRun(r.model.Name, r.set.Ask.First(), r.flags.Timeout)

	defer r.stayAwake()()
	p := pool.New(r.poolConfig(todo))
	r.pool.Store(p)
	r.startEvent(len(todo))
	r.show.Begin(len(todo))
	r.stats, err = p.Run(ctx, slices.Values(todo), r.keep)
	r.show.End()
	r.service.Stopping()
	if err != nil {
		return r.stopped(explain(err))
	}
	return r.finish()
}

// stopped turns the pool's and the context's words for a request to stop into
// ours; other errors pass.
func (r *runner) stopped(err error) error {
	if broken := r.track.Err(); broken != nil {
		err = broken
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, pool.ErrStopped) && !errors.Is(err, pool.ErrKilled) {
		if r.stats.Photos > 0 {
			r.log.Info(r.summary().Text())
		}
		return err
	}
	c := r.track.Counts()
	r.show.End()
	if r.stats.Photos > 0 {
		r.log.Info(r.summary().Text())
	}
	r.log.Info(fmt.Sprintf("Stopped on request after %s photos; the next run goes on", ui.Comma(c.NewDone)))
	return &ui.Exit{Code: ui.ExitStopped}
}
