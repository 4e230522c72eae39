package measure

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"

	"photodesc/internal/bench"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
)

// Report is a measurement, the medians of its rounds.
type Report struct {
	Version string `json:"version"`
	System  string `json:"system"`
	Model   string `json:"model"`
	Detail  string `json:"detail"`

	Photos   int `json:"photos"` // of a round
	Width    int `json:"width"`
	Height   int `json:"height"`
	Rounds   int `json:"rounds"`
	Workers  int `json:"workers"`
	Threads  int `json:"threads"`  // of each worker
	Parallel int `json:"parallel"` // photos together in each worker

	// A photo's, on average.
	Tiles        float64 `json:"tiles"`
	PromptTokens float64 `json:"prompt_tokens"`
	Tokens       float64 `json:"tokens"`

	Limit Limits `json:"limit"`

	PhotosHour   float64 `json:"photos_per_hour"` // a new worker for every batch included
	PhotoSeconds float64 `json:"seconds_per_photo"`

	Stages      benchStages      `json:"stages"`
	Process     benchProcess     `json:"process"`
	Supervision benchSupervision `json:"supervision"`
	Against     *benchAgainst    `json:"against,omitempty"`
}

type benchStages struct {
	Decode   benchDecode `json:"decode"`
	Encode   benchStage  `json:"encode"`
	Prefill  benchStage  `json:"prefill"`
	Generate benchStage  `json:"generate"`
}

type benchDecode struct {
	CPU float64 `json:"cpu_seconds"` // a photo
}

// benchStage is one of the engine's. Seconds are of a photo, the workers side
// by side counted as one; rates are of all workers together.
type benchStage struct {
	Seconds float64 `json:"seconds"`
	Share   float64 `json:"share"` // of a photo's time
	Tiles   float64 `json:"tiles_per_second,omitempty"`
	Tokens  float64 `json:"tokens_per_second,omitempty"`
	GFLOP   float64 `json:"gflop_per_second,omitempty"` // 0: the model's arithmetic is not known
	Sgemm   float64 `json:"sgemm_share,omitempty"`      // of sgemm's FLOP a second
	Memory  float64 `json:"memory_share,omitempty"`     // at least, of the memory's bytes a second

	short bool // it takes less than can be told
}

type benchProcess struct {
	Start float64 `json:"run_seconds"`    // from the command to the first worker's hello
	Load  float64 `json:"worker_seconds"` // from a worker's start to its hello
	Batch int     `json:"batch_size"`
	Share float64 `json:"share"` // of the time a batch takes
}

type benchSupervision struct {
	Engine  float64 `json:"engine_seconds"` // a photo's in the bare engine
	Seconds float64 `json:"seconds"`        // that a run takes longer
	Share   float64 `json:"share"`
}

// report puts the rounds together. Shares and ratios are taken round by round,
// because a machine's speed changes, and only then the median.
func (b *Benchmark) report(rounds []benchRound) *Report {
	first := rounds[0].run
	photos := float64(b.flags.Photos)
	median := func(f func(benchRound) float64) float64 { return bench.MedianOf(rounds, f) }
	r := &Report{
		Version: b.Version, System: runtime.GOOS + "/" + runtime.GOARCH, Model: b.Model, Detail: b.flags.Run.Detail,
		Photos: b.flags.Photos, Width: b.width, Height: b.height, Rounds: len(rounds),
		Workers: b.Plan.Workers, Threads: b.Plan.Threads, Parallel: b.Plan.Slots,
		Tiles: first.tiles / photos, PromptTokens: first.promptTokens / photos, Tokens: first.tokens / photos,
		Limit: rounds[0].limits,
	}
	r.Limit.Sgemm = median(func(r benchRound) float64 { return r.limits.Sgemm })
	r.Limit.Read = median(func(r benchRound) float64 { return r.limits.Read })

	batch := b.flags.Run.BatchSize
	loadOf := func(r benchRound) float64 { return r.run.load / float64(batch*b.Plan.Workers) }
	oursOf := func(r benchRound) float64 { return r.run.photoSeconds() + loadOf(r) }
	r.PhotoSeconds = median(oursOf)
	r.PhotosHour = 3600 / r.PhotoSeconds

	r.Stages.Decode.CPU = median(func(r benchRound) float64 { return r.engine.decode })
	b.stages(r, median)

	r.Process = benchProcess{
		Start: median(func(r benchRound) float64 { return r.run.start }), Load: median(func(r benchRound) float64 { return r.run.load }),
		Batch: batch, Share: median(func(r benchRound) float64 { return loadOf(r) / oursOf(r) }),
	}
	r.Supervision = benchSupervision{
		Engine:  median(func(r benchRound) float64 { return r.engine.photoSeconds() }),
		Seconds: median(func(r benchRound) float64 { return r.run.photoSeconds() - r.engine.photoSeconds() }),
		Share:   median(func(r benchRound) float64 { return r.run.photoSeconds()/r.engine.photoSeconds() - 1 }),
	}
	if b.server == nil {
		return r
	}
	r.Against = b.against(r, rounds, oursOf)
	return r
}

// resolution is that of a photo's times in events, in seconds.
const resolution = 0.001

// stages fills in the engine's stages. One that takes less than can be told is taken for half a millisecond a photo.
func (b *Benchmark) stages(r *Report, median func(func(benchRound) float64) float64) {
	vision, text := b.sizes()
	workers, photos := float64(b.Plan.Workers), float64(b.flags.Photos)
	together := math.Ceil(min(float64(b.Plan.Slots), photos/workers))
	// stage takes the seconds of all workers in a round, and what was done in them.
	stage := func(seconds, flop, stepBytes func(runResult) float64) (s benchStage) {
		least := photos * resolution / 2
		wall := func(r benchRound) float64 { return max(seconds(r.run), least) / workers }
		s.short = median(func(r benchRound) float64 { return seconds(r.run) }) < least
		s.Seconds = median(wall) / photos
		s.Share = median(func(r benchRound) float64 { return wall(r) / r.run.took })
		s.GFLOP = median(func(r benchRound) float64 { return flop(r.run) / wall(r) / 1e9 })
		if r.Limit.GPU == "" && r.Limit.Sgemm > 0 {
			s.Sgemm = median(func(r benchRound) float64 { return flop(r.run) / wall(r) / 1e9 / r.limits.Sgemm })
			s.Memory = median(func(r benchRound) float64 { return stepBytes(r.run) / wall(r) / 1e9 / r.limits.Read })
		}
		return s
	}
	none := func(runResult) float64 { return 0 }
	encode := func(r runResult) float64 { return r.encode }
	prefill := func(r runResult) float64 { return r.prefill }
	generate := func(r runResult) float64 { return r.generate }
	tileFLOP, prefillFLOP, generateFLOP, stepBytes := none, none, none, none
	if vision != nil {
		tileFLOP = func(r runResult) float64 { return r.tiles * vision.TileFLOP() }
	}
	if text != nil {
		prompt, tokens := r.PromptTokens, r.Tokens
		prefillFLOP = func(runResult) float64 { return photos * text.PrefillFLOP(prompt) }
		generateFLOP = func(runResult) float64 { return photos * text.GenerateFLOP(prompt, tokens) }
		// There were more steps than this: not every one was full.
		stepBytes = func(r runResult) float64 { return float64(text.StepBytes) * r.tokens / together }
	}
	st := &r.Stages
	st.Encode = stage(encode, tileFLOP, none)
	st.Encode.Tiles = r.Tiles / st.Encode.Seconds
	st.Prefill = stage(prefill, prefillFLOP, none)
	st.Prefill.Tokens = r.PromptTokens / st.Prefill.Seconds
	st.Generate = stage(generate, generateFLOP, stepBytes)
	st.Generate.Tokens = r.Tokens / st.Generate.Seconds
}

// Write is the report for people.
func (r *Report) Write(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s, %s of %d×%d in %s: %s and %s tokens in, %s out", r.Model, wording.Count(r.Photos, "photo"), r.Width, r.Height,
		wording.Count(r.Rounds, "round"), tilesText(r.Tiles), numberText(r.PromptTokens), numberText(r.Tokens))
	line("%s of %s, %s together in each%s", wording.Count(r.Workers, "worker"), wording.Count(r.Threads, "thread"), wording.Count(r.Parallel, "photo"), r.limitText())
	if full := 2 * r.Workers * r.Parallel; r.Photos < full {
		line("So few photos do not fill it: --photos %d or more shows what a long run does.", full)
	}
	line("")
	line("Photos an hour  %s  (%s a photo; a new worker for every %s included)",
		ui.RateText(r.PhotosHour), timeText(r.PhotoSeconds), wording.Count(r.Process.Batch, "photo"))
	line("")
	line("%-13s %10s %7s  %s", "Stage", "a photo", "of it", "how fast")
	row := func(name string, seconds, share float64, format string, args ...any) {
		shareText := ""
		if share != 0 {
			shareText = ui.PercentText(100 * share)
		}
		line("%-13s %10s %7s  %s", name, timeText(seconds), shareText, fmt.Sprintf(format, args...))
	}
	s := r.Stages
	row("decode", s.Decode.CPU, 0, "of one core, while other photos are inferred")
	row("encode", s.Encode.Seconds, s.Encode.Share, "%s a tile%s", timeText(s.Encode.Seconds/max(r.Tiles, 1)), s.Encode.speedText())
	row("prefill", s.Prefill.Seconds, s.Prefill.Share, "%s tokens/s%s", numberText(s.Prefill.Tokens), s.Prefill.speedText())
	row("generate", s.Generate.Seconds, s.Generate.Share, "%s tokens/s%s", numberText(s.Generate.Tokens), s.Generate.speedText())
	row("supervision", r.Supervision.Seconds, 0, "and tracking: a run takes %s more than the bare engine's %s", ui.PercentText(100*r.Supervision.Share), timeText(r.Supervision.Engine))
	row("new worker", r.Process.Load/float64(r.Process.Batch*r.Workers), r.Process.Share, "%s for a batch of %s", timeText(r.Process.Load), ui.Comma(r.Process.Batch))
	line("")
	line("A run's first worker is ready %s after its start, the model's measuring included.", timeText(r.Process.Start))
	r.Against.write(line, r)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *Report) limitText() string {
	if r.Limit.GPU != "" {
		return "; on " + r.Limit.GPU + ", whose limit is not known"
	}
	blas := r.Limit.BLAS
	if blas == "" {
		blas = "the system's BLAS"
	}
	return fmt.Sprintf("\nLimit of %s: %s (%s)", wording.Count(r.Limit.Threads, "thread"), r.Limit.text(), strings.TrimSpace(blas+" "+r.Limit.Core))
}

func (s benchStage) speedText() string {
	text := ""
	if s.short {
		return ", or more: too short to be measured"
	}
	if s.GFLOP > 0 {
		text = fmt.Sprintf(", %s GFLOP/s", numberText(s.GFLOP))
	}
	if s.Sgemm > 0 {
		text += fmt.Sprintf(", %s of sgemm's", ui.PercentText(100*s.Sgemm))
	}
	if s.Memory > 0 {
		text += fmt.Sprintf(", %s of memory's", ui.PercentText(100*s.Memory))
	}
	return text
}

func tilesText(n float64) string {
	if n == 1 {
		return "1 tile"
	}
	return numberText(n) + " tiles"
}

// numberText has three digits that mean something, and no more.
func numberText(x float64) string {
	switch a := math.Abs(x); {
	case a >= 99.95:
		return ui.Comma(int(math.Round(x)))
	case x == math.Round(x):
		return fmt.Sprintf("%.0f", x)
	case a >= 9.995:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

// timeText is a short time with its unit.
func timeText(s float64) string {
	switch a := math.Abs(s); {
	case a >= 0.9995:
		return numberText(s) + " s"
	case a >= 0.9995e-3:
		return numberText(1000*s) + " ms"
	}
	return fmt.Sprintf("%.2f ms", 1000*s)
}
