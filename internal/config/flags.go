package config

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"photodesc/internal/machine"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"photodesc/internal/models"
	"photodesc/internal/photo"
	"photodesc/internal/prompts"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/internal/xmp"
	"photodesc/llm"
	"photodesc/pool"
)

// Flags are the flags of a run.
type Flags struct {
	Model, Mmproj string
	Unchecked     bool
	prompts       []string
	promptFiles   []string
	keywords      string
	language      string
	context       string
	keepRaw       bool
	Detail        string
	MaxTokens     int
	Temperature   float64
	TopP          float64
	RepeatPenalty float64
	Seed          uint32
	Exact         bool

	BatchSize   int
	Cooldown    string
	Memory      string
	workers     string
	parallel    string
	threads     string
	Nice        int
	Timeout     time.Duration
	MaxTemp     float64
	Limit       int
	RetryFailed bool
	Requested   bool
	Untrusted   bool
	KeepAwake   bool
	OnBattery   string
	exclude     []string
	include     []string
	FilesFrom   string
	ZeroEnds    bool
	NewestFirst bool
	shard       string
	OnFinish    string
	S3Endpoint  string
	S3Region    string
	spool       string
	DryRun      bool

	Watch  bool
	Rescan time.Duration
	Settle time.Duration

	Serve     bool
	ServeAddr string
	NoLocal   bool
	Metrics   string
	NATS      NATSFlags

	Background bool
	Json       bool
	XMP        bool
	Sidecar    string // name of a new one
	Redo       string
	Duplicates string
	noConfig   bool

	Set  *pflag.FlagSet          // that these are registered with
	last map[string]sourcedValue // flags of the run before, for one that goes on with it
}

// Register adds the flags of a run to a set.
func (f *Flags) Register(s *pflag.FlagSet) {
	f.Set, s.SortFlags = s, false
	s.StringVar(&f.Model, "model", models.Default, "which model: a `NAME` (see photodesc models), OWNER/NAME on the Hugging Face hub, or a GGUF file")
	s.StringVar(&f.Mmproj, "mmproj", "", "vision `FILE` that belongs to the model file")
	s.BoolVar(&f.Unchecked, "model-unchecked", false, "take a model that photodesc does not know, if the program links a newer llama.cpp: it may crash, or be wrong")
	s.StringArrayVar(&f.prompts, "prompt", []string{prompts.Describe}, "what to ask of each photo: a `TEXT`, or "+prompts.Names()+"; may be given several times")
	s.StringArrayVar(&f.promptFiles, "prompt-file", []string{}, "ask what is written in `FILE`; may be given several times")
	s.StringVar(&f.keywords, "keywords", "", "ask for keywords, and take them from the lines of `FILE` only")
	s.StringVar(&f.language, "language", "", "language of the answers, as a `TAG` of BCP-47")
	s.StringVar(&f.context, "context", prompts.Facts(nil).String(), "what else the model is told of each photo: any of "+strings.Join(prompts.FactNames(), ", ")+", with commas between")
	s.BoolVar(&f.keepRaw, "keep-raw", false, "keep the model's own words, too, as raw in the outputs")
	s.StringVar(&f.Detail, "detail", "auto", "how finely photos are cut into tiles; or their longest edge in pixels")
	s.IntVar(&f.MaxTokens, "max-tokens", 128, "longest answer to a prompt, in tokens")
	s.Float64Var(&f.Temperature, "temperature", 0, "0 always picks the likeliest word; higher is freer")
	s.Float64Var(&f.TopP, "top-p", 0.95, "with a temperature: only the likeliest words that make up this share")
	s.Float64Var(&f.RepeatPenalty, "repeat-penalty", 1, "above 1 discourages words that were just used")
	s.Uint32Var(&f.Seed, "seed", 0, "with a temperature: the same seed gives the same words")
	s.BoolVar(&f.Exact, "exact-tokens", false, "generate exactly --max-tokens, for measuring")

	s.IntVar(&f.BatchSize, "batch-size", 100, "photos one worker process describes before a fresh one takes over")
	s.StringVar(&f.Cooldown, "cooldown", "auto", "pause between batches: auto waits only while memory or heat asks for it; or a time such as 30s")
	s.StringVar(&f.Memory, "memory", DefaultMemory, "memory that the run may take: a share of this machine's, or a `SIZE` such as 6GiB")
	s.StringVar(&f.workers, "workers", "auto", "worker processes side by side")
	s.StringVar(&f.parallel, "parallel", "auto", "photos that one worker generates together")
	s.StringVar(&f.threads, "threads", "auto", "threads of one worker")
	s.IntVar(&f.Nice, "nice", 0, "how far workers stand back for other programs, 0 to 19")
	s.DurationVar(&f.Timeout, "timeout", 5*time.Minute, "longest time for one photo, all its prompts together")
	s.Float64Var(&f.MaxTemp, "max-temp", 0, "pause above this temperature in °C, where there are sensors; 0 is never")
	s.StringVar(&f.OnBattery, "on-battery", BatteryRun, "what a laptop without mains power does")
	s.BoolVar(&f.KeepAwake, "keep-awake", true, "keep the machine from going to sleep during the run; --keep-awake=false lets it")
	s.StringArrayVar(&f.exclude, "exclude", []string{}, "leave out files and folders that fit `GLOB`, in the syntax of .gitignore, from the photo folder on; may be given several times")
	s.StringArrayVar(&f.include, "include", []string{}, "describe what fits `GLOB` though --exclude, a .photodescignore or a rule leaves it out; may be given several times")
	s.StringVar(&f.FilesFrom, "files-from", "", "only the photos that `FILE` lists, a path a line, relative to the photo folder or absolute; - reads standard input")
	s.BoolVarP(&f.ZeroEnds, "null", "0", false, "paths of --files-from end with a zero byte, as find -print0 writes them")
	s.IntVar(&f.Limit, "limit", 0, "stop after this many photos; 0 is all")
	s.BoolVar(&f.NewestFirst, "newest-first", false, "begin with the photos whose files were changed last")
	s.StringVar(&f.shard, "shard", "", "only one part of the photos, as `3/8`: the fourth of eight, 0/8 is the first; each with a workdir of its own, see photodesc merge")
	s.StringVar(&f.S3Endpoint, "s3-endpoint", "", "for photos in a bucket that is not Amazon's: `URL` of the storage; without it AWS_ENDPOINT_URL counts")
	s.StringVar(&f.S3Region, "s3-region", "", "region of the bucket; without it AWS_REGION or ~/.aws/config counts")
	s.StringVar(&f.spool, "spool", DefaultSpool, "fetch photos of a bucket ahead, at most this `SIZE` together, into the workdir")
	s.BoolVar(&f.RetryFailed, "retry-failed", false, "try photos again that failed in earlier runs")
	s.BoolVar(&f.Requested, "requested", false, "describe only photos that photodesc browse or photodesc again has asked for, with this model")
	s.StringVar(&f.Redo, "redo", RedoAsk, "photos described with other settings, as another prompt: say so and do nothing, describe them again, or leave them")
	s.StringVar(&f.Duplicates, "duplicates", DuplicatesShare, "photos with the same picture as another, byte for byte and without regard to metadata: give them its words, or describe each")
	s.BoolVar(&f.Watch, "watch", false, "stay when all photos are described, and describe those that come")
	s.DurationVar(&f.Rescan, "rescan", time.Minute, "with --watch: how often the folders are looked at; what the system notifies of is seen at once")
	s.DurationVar(&f.Settle, "settle", 10*time.Second, "with --watch: how long a file must not have changed before it is described")
	s.BoolVar(&f.Serve, "serve", false, "have other machines join with photodesc node, see docs/cluster.md")
	s.StringVar(&f.ServeAddr, "serve-addr", DefaultServeAddr, "with --serve: where to listen, as `HOST:PORT`; 0.0.0.0:0 is every address of this machine and the port of last time")
	s.BoolVar(&f.NoLocal, "no-local", false, "with --serve or --nats: describe nothing on this machine")
	f.NATS.Register(s)
	s.StringVar(&f.Metrics, "metrics", "", "figures for Prometheus at http://`HOST:PORT`/metrics")
	s.BoolVar(&f.DryRun, "dry-run", false, "change nothing, and say how many photos a run would describe, what it would leave out, and how long it would take")
	s.BoolVar(&f.Background, "background", false, "run detached from the terminal, console in logs/console.log")
	s.StringVar(&f.OnFinish, "on-finish", "", "when the run has ended, in whatever way, give `COMMAND` to the shell; PHOTODESC_… variables tell it how the run went")
	s.BoolVar(&f.Json, "json", false, "for programs: one JSON event a line on standard output, see docs/events.md")
	s.BoolVar(&f.XMP, "xmp", false, "write each description into an XMP sidecar beside the photo, see photodesc export xmp")
	s.StringVar(&f.Sidecar, "sidecar-name", string(xmp.FullName), "with --xmp: name of a new sidecar of IMG.jpg")
	s.BoolVar(&f.Untrusted, "untrusted-loaders", false, "also use image decoders that are not safe against hostile files")
	s.BoolVar(&f.noConfig, "no-config", false, "read no photodesc.toml and no PHOTODESC_… variables; see photodesc config")
}

// Settings are the checked values of the flags, in the types that packages take.
type Settings struct {
	Ask      worker.Questions
	Detail   llm.Detail
	Cooldown time.Duration
	Memory   uint64        // bytes
	workers  int           // 0 is auto
	parallel int           // 0 is auto
	threads  int           // 0 is auto
	timeout  time.Duration // of a photo; 0 is none

	// Measured is what the cache says was fastest here, for workers and threads auto.
	Measured pool.Shape

	Exclude, Include photo.Patterns
	Shard            photo.Shard
	Spool            int64 // bytes
}

// AutoShape is whether the numbers of workers and of threads are both to be chosen.
func (s Settings) AutoShape() bool { return s.workers == 0 && s.threads == 0 }

// WithShape asks for so many workers and threads.
func (s Settings) WithShape(shape pool.Shape) Settings {
	s.workers, s.threads = shape.Workers, shape.Threads
	return s
}

// Check parses and checks the flags. The errors are usage errors that name the flag.
func (f *Flags) Check() (Settings, error) {
	s := Settings{timeout: f.Timeout}
	var err error
	if s.Detail, err = llm.ParseDetail(f.Detail); err != nil {
		return s, ui.UsageError("--detail: %w", err)
	}
	if s.Ask, err = f.ask(); err != nil {
		return s, err
	}
	for _, x := range []float64{f.Temperature, f.TopP, f.RepeatPenalty, f.MaxTemp} {
		if !(x >= 0) || math.IsInf(x, 0) { // NaN is neither
			return s, ui.UsageError("--temperature, --top-p, --repeat-penalty and --max-temp are numbers that are not negative")
		}
	}
	switch {
	case f.MaxTokens < 1:
		return s, ui.UsageError("--max-tokens must be at least 1")
	case f.TopP > 1:
		return s, ui.UsageError("--top-p is a share from 0 to 1")
	case f.BatchSize < 1:
		return s, ui.UsageError("--batch-size must be at least 1")
	case f.Unchecked && !llm.System:
		return s, ui.UsageError("--model-unchecked needs a photodesc that links a newer llama.cpp\n  build one: make build LLAMA=system, or LLAMA=DIR (docs/models.md); or leave it out")
	case f.Unchecked && f.Shared():
		return s, ui.UsageError("--model-unchecked is for one machine, and other machines would have to take the model, too\n  leave --serve and --nats out")
	case f.Background && f.Json:
		return s, ui.UsageError("--background has no standard output for --json\n  leave one of them out, or start it in the background by other means")
	case f.DryRun && f.Background:
		return s, ui.UsageError("--dry-run does nothing that could go on in the background")
	case f.FilesFrom == "-" && f.Background:
		return s, ui.UsageError("a run in the background has no standard input for --files-from -\n  give it a file")
	case f.NoLocal && !f.Shared():
		return s, ui.UsageError("--no-local belongs to --serve or --nats: otherwise nobody would describe anything")
	case strings.Contains(f.NATS.URL, "@"):
		return s, ui.UsageError("--nats: a password in the address is seen by others, in the list of processes and in logs\n  give --nats-creds FILE or --nats-context NAME")
	case f.NATS.wrong() != "":
		return s, ui.UsageError("%s", f.NATS.wrong())
	case f.Serve && f.NATS.Given():
		return s, ui.UsageError("--serve starts a server, --nats uses another one: give one of them")
	case f.ZeroEnds && f.FilesFrom == "":
		return s, ui.UsageError("--null belongs to --files-from")
	case f.Requested && (f.FilesFrom != "" || f.Limit != 0 || f.RetryFailed || f.Redo == RedoChanged):
		return s, ui.UsageError("--requested describes what was asked for and no other photos\n  leave --files-from, --limit, --retry-failed and --redo out")
	case f.Limit < 0:
		return s, ui.UsageError("--limit must not be negative")
	case !slices.Contains([]string{RedoAsk, RedoChanged, RedoNever}, f.Redo):
		return s, ui.UsageError("--redo: %q is not %s, %s or %s", f.Redo, RedoAsk, RedoChanged, RedoNever)
	case f.Rescan < MinRescan || f.Rescan > MaxRescan:
		return s, ui.UsageError("--rescan is a time from 100ms to 24h")
	case f.Settle < 0 || f.Settle > MaxRescan:
		return s, ui.UsageError("--settle is a time from 0 to 24h")
	case f.OnBattery != BatteryRun && f.OnBattery != BatteryPause:
		return s, ui.UsageError("--on-battery: %q is not %s or %s", f.OnBattery, BatteryRun, BatteryPause)
	case f.Duplicates != DuplicatesShare && f.Duplicates != DuplicatesDescribe:
		return s, ui.UsageError("--duplicates: %q is not %s or %s", f.Duplicates, DuplicatesShare, DuplicatesDescribe)
	case f.Sidecar != string(xmp.FullName) && f.Sidecar != string(xmp.StemName):
		return s, ui.UsageError("--sidecar-name: %q is not %s or %s", f.Sidecar, xmp.FullName, xmp.StemName)
	case f.Nice < 0 || f.Nice > 19:
		return s, ui.UsageError("--nice is a number from 0 to 19")
	case f.Timeout < 0:
		return s, ui.UsageError("--timeout must not be negative")
	}
	if s.Cooldown, err = parseCooldown(f.Cooldown); err != nil {
		return s, err
	}
	if s.Shard, err = photo.ParseShard(f.shard); err != nil {
		return s, ui.UsageError("--shard: %w", err)
	}
	if s.Exclude, err = photo.ParsePatterns(f.exclude); err != nil {
		return s, ui.UsageError("--exclude: %w", err)
	}
	if s.Include, err = photo.ParsePatterns(f.include); err != nil {
		return s, ui.UsageError("--include: %w", err)
	}
	if s.Spool, err = parseSpool(f.spool); err != nil {
		return s, err
	}
	total, _, err := machine.TotalMemory()
	if err != nil {
		return s, err
	}
	if s.Memory, err = machine.ParseMemory(f.Memory, total); err != nil {
		return s, ui.UsageError("--memory: %w", err)
	}
	for _, n := range []struct {
		name, text string
		to         *int
	}{{"workers", f.workers, &s.workers}, {"parallel", f.parallel, &s.parallel}, {"threads", f.threads, &s.threads}} {
		if *n.to, err = parseAuto(n.text); err != nil {
			return s, ui.UsageError("--%s: %w", n.name, err)
		}
	}
	return s, nil
}

func parseCooldown(s string) (time.Duration, error) {
	if s == "auto" {
		return pool.AutoCooldown, nil
	}
	d, err := time.ParseDuration(s)
	if n, e := strconv.Atoi(s); e == nil {
		d, err = time.Duration(n)*time.Second, nil // a number without a unit is seconds
	}
	if err != nil || d < 0 {
		return 0, ui.UsageError("--cooldown %q is neither auto nor a time such as 30s", s)
	}
	return d, nil
}

func parseSpool(s string) (int64, error) {
	n, err := humanize.ParseBytes(s)
	if err != nil || n < 1<<20 || n > 1<<50 {
		return 0, ui.UsageError("--spool: %q is not a size from 1MiB on, such as 4GiB", s)
	}
	return int64(n), nil
}

func parseAuto(s string) (int, error) {
	if s == "auto" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > 256 {
		return 0, fmt.Errorf("%q is neither auto nor a number from 1 to 256", s)
	}
	return n, nil
}

// Plan shares out cores and memory for a model that was measured, in a run of so
// many photos; 0 is many.
func (s Settings) Plan(m worker.Measured, photos int) pool.Plan {
	sizes := m.Sizes()
	limits := pool.Limits{
		Memory: s.Memory, CPUs: machine.CPUs(),
		Workers: s.workers, Threads: s.threads, Slots: s.parallel,
		MaxSlots: worker.SlotsInTime(m.Photo, s.timeout), Photos: photos, GPU: m.GPU, Measured: s.Measured,
	}
	switch {
	case m.GPU: // each worker would hold the model there
		limits.MaxSlots = max(m.Slots, worker.MaxSlots)
	case s.Detail == llm.DetailLow && limits.MaxSlots == worker.MaxSlots:
		limits.MoreSlots = worker.MoreSlots
	}
	p := pool.MakePlan(sizes, limits)
	if p.Slots == 1 { // an engine has two slots at the least
		sizes.Worker += sizes.Slot
		limits.Slots = 1
		p = pool.MakePlan(sizes, limits)
	}
	p.Prestart = p.Prestart && (!m.GPU || m.Second)
	return p
}

// fewPhotos is how many photos one worker describes without being measured before.
const fewPhotos = 4

// PlanFew is the plan for a few photos with a model whose files have so many bytes, and whether
// it can be made without loading the model to measure it: where memory is plentiful. The
// model's own memory beside its files is taken for at most as much again, and 1 GiB.
func (s Settings) PlanFew(files uint64, photos int) (pool.Plan, bool) {
	const more = 1 << 30
	if files == 0 || photos > fewPhotos || s.workers > 1 || s.Memory < 3*files+2*more {
		return pool.Plan{}, false
	}
	p := pool.MakePlan(pool.Sizes{Weights: files, Worker: files + more}, pool.Limits{
		Memory: s.Memory, CPUs: machine.CPUs(), Workers: 1, Threads: s.threads, Slots: max(photos, 1), Photos: photos,
	})
	p.Photo /= fewPhotos
	return p, p.Fits
}

// OneRunFlags are flags of a single run. A run that continues it does not get them.
var OneRunFlags = []string{"background", "json", "limit", "retry-failed", "requested", "dry-run", "files-from", "null", "workdir", "quiet", "verbose", "color"}

// ResumeArgs returns the arguments with which another run continues this one: the
// flags from the command line and from variables. The other run reads files of
// settings itself. Names of files are made absolute, since it may start in another
// folder.
func ResumeArgs(s *pflag.FlagSet) (args []string) {
	s.VisitAll(func(f *pflag.Flag) {
		if !f.Changed || slices.Contains(OneRunFlags, f.Name) {
			return
		}
		values := []string{f.Value.String()}
		if list, many := f.Value.(pflag.SliceValue); many {
			values = list.GetSlice()
		}
		for _, value := range values {
			if value != "" && (slices.Contains(FileFlags, f.Name) || f.Name == "model" && models.IsFile(value)) {
				if abs, err := filepath.Abs(value); err == nil {
					value = abs
				}
			}
			if f.Value.Type() == "bool" && value == "true" {
				args = append(args, "--"+f.Name)
			} else {
				args = append(args, "--"+f.Name+"="+value)
			}
		}
	})
	return args
}

// DefaultSpool is the default of --spool.
const DefaultSpool = "1GiB"

// DefaultMemory is the default of --memory.
const DefaultMemory = "60%"
