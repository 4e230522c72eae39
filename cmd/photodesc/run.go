package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"photodesc/internal/config"
	"photodesc/internal/machine"
	"photodesc/internal/models"
	"photodesc/internal/photo"
	"photodesc/internal/runs"
	"photodesc/internal/service"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

func runCommand(g *global) *cobra.Command {
	var f config.Flags
	c := &cobra.Command{
		Use:     "run [flags] [DIR]",
		Short:   "Describe every photo under DIR that is not yet described",
		Long:    runHelp + exitCodesHelp,
		Example: "  photodesc run ~/Pictures\n  photodesc run --prompt short --prompt keywords ~/Pictures\n  photodesc -C ~/descriptions run --detail high --batch-size 50 /mnt/nas/photos",
		Args:    runArgs,

		ValidArgsFunction:     oneFolder,
		DisableFlagsInUseLine: true,
	}
	f.Register(c.Flags())
	c.RunE = func(_ *cobra.Command, args []string) error {
		root, err := folderOrLast(c, args, g.dir, &f)
		if err != nil {
			return err
		}
		cfg, s, err := f.Configure(g.dir, c.Flags())
		if err != nil {
			return err
		}
		if err := rememberEndpoint(cfg, c.Flags(), root); err != nil {
			return err
		}
		if f.NATS.Files() && !f.NATS.Given() {
			return ui.UsageError("--nats-creds, --nats-ca, --nats-cert and --nats-key belong to --nats URL")
		}
		r := &runner{dir: g.dir, flags: f, set: s, config: cfg, goesOn: len(args) == 0, started: time.Now(), watchers: watchers{foreground: findForeground()}}
		if err := checkWatch(&r.flags, cfg, root); err != nil {
			return err
		}
		if f.DryRun {
			return r.dryRun(c.OutOrStdout(), root)
		}
		if f.Background && r.foreground == nil {
			return runInBackground(g.dir, c.OutOrStdout())
		}
		r.args = append([]string{"run"}, config.ResumeArgs(c.Flags())...)
		if f.Json {
			r.events = newEvents(c.OutOrStdout(), func(err error) {
				fmt.Fprintf(os.Stderr, "photodesc: events end here, %v; the run goes on\n", err)
			})
		}
		return r.run(root)
	}
	return c
}

// runner is one run. Its steps are in run, in their order.
type runner struct {
	dir    string // workdir
	root   string // photo folder, absolute, or the address of a bucket
	source photoSource
	args   []string // of the command that goes on with this run
	flags  config.Flags
	set    config.Settings
	config *config.Config // where the settings come from
	model  models.Wanted
	list   *photo.List // of --files-from; nil is all photos

	watchers

	logs
	track   *tracker.Tracker
	started time.Time
	signals *signals
	goesOn  bool        // with the settings of the run before, because no folder was given
	hungUp  atomic.Bool // the first request to stop was that the terminal was closed
	found   scan
	work
	outcomes
	keepers
	watch  *folderWatch        // of --watch, else nil
	beside <-chan []runs.Entry // runs that are up on the same photos; nil once they are told of
}

// work is the describing of photos.
type work struct {
	asked    askedPhotos
	plan     pool.Plan
	pool     atomic.Pointer[pool.Pool]
	measured *worker.Measured // nil before
	planned  string           // what was said of the plan
	loading  *step            // of the first photos: loading the model, then describing them; nil before

	shared atomic.Pointer[sharing] // nil unless other machines take part
}

// keepers write more of a description than its result. Each may be nil.
type keepers struct {
	sidecars   *runSidecars   // of --xmp
	thumbnails *runThumbnails // for browse
	copies     *copies        // shares words among photos with the same picture
}

// watchers are told of a run beside the person at the terminal. Each may be nil.
type watchers struct {
	events     *events
	service    *service.Manager
	foreground *foreground
}

// outcomes are what became of the photos, beside what the tracker keeps.
type outcomes struct {
	stats  pool.Stats // when the pool has ended
	blanks blankWatch
	folds  folds
}

// logs are where a run says what it does.
type logs struct {
	logFile *logFile
	log     *zap.Logger
	detail  *zap.Logger // what a terminal shows as a bar and not as lines
	show    *ui.Progress
	told    map[string]bool // texts of which a run with several rounds tells once
}

// once is whether a text was not told before.
func (l *logs) once(text string) bool {
	before := l.told[text]
	if l.told == nil {
		l.told = map[string]bool{}
	}
	l.told[text] = true
	return !before
}

// run describes the photos below dir.
func (r *runner) run(dir string) (err error) {
	r.signals = catchSignals()
	defer r.signals.release()
	defer func() {
		r.endEvents(ui.ExitCode(err), err)
		r.onFinish(err)
		r.service.Close()
	}()
	if err = openSource(r, dir); err != nil && !awaited(r, dir) {
		return pointToDescribe(err, dir, r.flags.Set)
	}
	defer r.source.close()
	if r.list, err = readList(r.root, &r.flags, r.set.Shard); err != nil {
		return err
	}
	if err = r.findModel(); err != nil {
		return err
	}
	if err = r.openWorkdir(); err != nil {
		return err
	}
	defer func() { err = r.closeWorkdir(err) }()
	ctx, release := r.untilStopped()
	defer release()

	r.logSettings()
	endMetrics, err := startMetrics(r)
	if err != nil {
		return err
	}
	defer endMetrics()
	r.sayBeside(hintTimeout)
	if r.flags.NoLocal {
		r.track.Live().SetNoRequests()
	}
	if err = r.source.prepare(ctx, r); err != nil {
		return r.stopped(err)
	}
	if err = r.prepareModel(ctx); err != nil {
		return r.stopped(err)
	}
	if text := languageWarning(r.set.Ask.Language, r.model.Files); text != "" {
		r.log.Warn(text)
	}
	if r.flags.Watch {
		return r.stopped(watchPhotos(ctx, r))
	}
	if err = r.findPhotos(ctx); err != nil {
		return r.stopped(err)
	}
	asked := sayRequests(r)
	if len(r.found.todo)+asked > 0 && !r.flags.NoLocal {
		if err = r.planWorkers(ctx, asked); err != nil {
			return r.stopped(err)
		}
	}
	r.sayBeside(0)
	r.startEvent()
	if len(r.found.todo)+asked > 0 {
		if err = r.describe(ctx); err != nil {
			return r.stopped(err)
		}
	}
	if err = fillIn(ctx, r); err != nil {
		return r.stopped(err)
	}
	return r.finish()
}

// openWorkdir takes the workdir's lock. From then on everything is logged.
func (r *runner) openWorkdir() (err error) {
	newPlace := isNewPlace(r.dir)
	r.track, err = tracker.Open(r.dir, tracker.Options{Root: r.root, RetryFailed: r.flags.RetryFailed, RootMoved: r.source.moved()})
	if locked := (*tracker.LockedError)(nil); errors.As(err, &locked) {
		return lockedError(locked)
	}
	if err != nil {
		return err
	}
	r.foreground.say(wordLocked)
	r.lookBeside()
	r.service = service.FindManager()
	r.service.Ready()
	name := tracker.LogPath(r.dir, r.started)
	if r.logFile, err = openLog(name); err != nil {
		return r.closeWorkdir(err)
	}
	r.track.Live().SetLog(name)
	r.show = ui.NewProgress(os.Stderr)
	r.log, r.detail = ui.NewLog(r.logFile, r.show)
	if newPlace {
		sayPlace(r.dir, r.log)
	}
	r.folds.say = func(text string) { r.log.Warn(text) }
	r.track.Listen(func(n tracker.Note) {
		if n.Level == tracker.Warn {
			r.log.Warn(n.String())
		} else {
			r.log.Info(n.String())
		}
	})
	return nil
}

// closeWorkdir logs an error that was not shown yet, and lets the next run in.
func (r *runner) closeWorkdir(err error) error {
	if r.logFile != nil {
		r.show.End()
		r.folds.flush()
		var e *ui.Exit
		if err != nil && !(errors.As(err, &e) && (e.Said || e.Err == nil)) {
			r.log.Error(err.Error())
			err = &ui.Exit{Code: ui.ExitCode(err), Err: err, Said: true}
		}
		r.show.Plain.Flush()
		r.logFile.close()
	}
	r.track.Live().Stop(stopReason(err))
	if e := r.track.Close(); e != nil {
		fmt.Fprintf(os.Stderr, "photodesc: %v\n", e)
		err = &ui.Exit{Code: ui.ExitError, Err: errors.Join(err, e), Said: true}
	}
	return err
}

// lockedError adds what to do about another run.
func lockedError(e *tracker.LockedError) error {
	return fmt.Errorf("%w\n  watch it with `%s`, end it with `%s`, or choose another workdir with -C",
		e, ui.CommandLine(e.Dir, "status"), ui.CommandLine(e.Dir, "stop"))
}

// logSettings logs what is asked of which model, and where.
func (r *runner) logSettings() {
	r.log.Info(fmt.Sprintf("photodesc %s, model %s, photos in %q", version, r.model.Name, r.root))
	r.detail.Info("Command: " + ui.CommandLine("", os.Args[1:]...))
	if last := r.config.FromLastRun(); len(last) > 0 {
		r.log.Info("Going on with the settings of the last run: " + ui.CommandLine("", last...)[len("photodesc "):])
	}
	if changed := r.config.Differing(); len(changed) > 0 {
		r.detail.Info("Settings: " + ui.OneLine(strings.Join(changed, ", ")))
	}
	r.detail.Info(machineText())
	if r.model.Name == "builtin" {
		r.log.Info(models.BuiltinNote)
		if !r.set.Ask.DescribesOnly() {
			r.log.Warn(models.BuiltinPrompts)
		}
	}
	if text := r.set.Ask.Text(); text != "" {
		r.log.Info(text)
	}
	if before := r.track.Counts().Done; r.flags.XMP && before > 0 {
		r.log.Info(fmt.Sprintf("Sidecars are written for photos that this run describes; for the %s described before: %s",
			ui.Comma(before), ui.CommandLine(r.dir, "export", "xmp")))
	}
}

// planWorkers loads the model once to measure it, and decides how many workers
// and slots there are. asked is how many photos are to be described again by request.
func (r *runner) planWorkers(ctx context.Context, asked int) error {
	if r.measured == nil {
		r.show.Wait("measuring the model")
		r.track.Live().SetPhase("measuring model")
		step := r.startStep("Measuring the model" + modelSize(r.model) + ": it is loaded once and looks at a first picture")
		m, err := worker.Measure(ctx, r.workerConfig(), r.flags.Nice)
		step.end()
		if err != nil {
			return r.unloadable(ctx, err)
		}
		if !m.GPU {
			r.set.Measured = measuredShape(r.set, r.model, func(text string) { r.log.Info(text) })
		}
		r.measured = &m
	}
	r.plan = r.set.Plan(*r.measured, len(r.found.todo)+asked)
	r.track.Live().SetRun(r.model.Name, r.set.Ask.First(), r.flags.Timeout)
	if r.plan.Sum == r.planned { // in an earlier round of --watch
		return nil
	}
	r.planned = r.plan.Sum
	r.log.Info(r.plan.Sum)
	if !r.plan.Fits {
		return fmt.Errorf("one worker with one photo needs more than the memory budget\n  give more with --memory (%q now), take a smaller model, or a lower --detail", r.flags.Memory)
	}
	r.log.Info(planText(r.plan, &r.flags))
	if text := tooManyThreads(r.plan.Threads, machine.CPUs()); text != "" {
		r.log.Warn(text)
	}
	return nil
}

// describe describes all photos that are to do, and those that are asked for.
func (r *runner) describe(ctx context.Context) error {
	defer r.stayAwake(r.flags.KeepAwake)()
	r.thumbnails = startThumbnails(r.root)
	r.copies = newCopies(r)
	r.show.SetPhase("loading the model")
	r.track.Live().SetPhase("loading model")
	r.show.Begin(r.track.Live().Progress)
	r.loading = r.startStep("Loading the model" + modelSize(r.model))
	if r.flags.XMP {
		r.sidecars = startSidecars(r.dir, r.root, r.flags.Sidecar, func(text string) { r.log.Warn(text) })
	}
	index := startIndexing(r.dir, func(text string) { r.log.Warn(text) })
	defer r.thumbnails.end()
	err := describeAll(ctx, r)
	r.loading.end()
	r.show.End()
	index.end(errors.Is(err, pool.ErrKilled))
	endSidecars(r, err)
	r.service.Idle()
	if finishCommand(r) == "" && r.watch == nil { // a manager that was told would not wait for it
		r.service.Stopping()
	}
	return explain(err)
}

// stopped is how a step's error ends the run. A request to stop has an exit code
// of its own.
func (r *runner) stopped(err error) error {
	if broken := r.track.Err(); broken != nil {
		err = broken
	}
	r.show.End()
	r.folds.flush()
	p := r.track.Live().Progress()
	if r.stats.Photos > 0 || r.shared.Load() != nil && p.RunCompleted+p.RunFailed > 0 {
		r.log.Info(r.summary().Text())
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, pool.ErrStopped) && !errors.Is(err, pool.ErrKilled) {
		return err
	}
	if r.hungUp.Load() {
		r.log.Info(fmt.Sprintf("Stopped after %s, because %s; the next run goes on", wording.Count(p.RunCompleted, "photo"), ui.TerminalClosed))
		return &ui.Exit{Code: ui.ExitStopped, Err: errors.New(ui.TerminalClosed), Said: true}
	}
	r.log.Info(fmt.Sprintf("Stopped on request after %s; the next run goes on", wording.Count(p.RunCompleted, "photo")))
	return &ui.Exit{Code: ui.ExitStopped}
}
