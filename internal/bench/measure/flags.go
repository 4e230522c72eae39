package measure

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"photodesc/internal/bench"
	"photodesc/internal/config"
	"photodesc/internal/ui"
	"photodesc/llm"
)

// Flags is what a person may say of a measurement.
type Flags struct {
	Run         config.Flags
	Photos      int
	Size        string
	Rounds      int
	Json        bool
	Sweep       bool
	Against     string
	TheirModel  string
	TheirPhotos int
	Concurrency int
}

// Check turns the flags into a measurement.
func (f *Flags) Check() (*Benchmark, error) {
	set, err := f.Run.Check()
	if err != nil {
		return nil, err
	}
	b := &Benchmark{flags: *f, Set: set}
	var ok bool
	if b.width, b.height, ok = parseSize(f.Size); !ok {
		return nil, ui.UsageError("--size %q is not a size in pixels such as 1024x768", f.Size)
	}
	if f.Rounds == 0 {
		if b.flags.Rounds = 1; f.Against != "" {
			b.flags.Rounds = 3
		}
	}
	switch {
	case f.Photos < 0 || f.Photos > 10_000:
		return nil, ui.UsageError("--photos must be from 1 to 10,000")
	case f.Rounds < 0 || f.Rounds > 1000:
		return nil, ui.UsageError("--rounds must be from 1 to 1,000")
	case f.Concurrency < 1 || f.Concurrency > 256:
		return nil, ui.UsageError("--concurrency must be from 1 to 256")
	case f.TheirPhotos < 0 || f.Photos > 0 && f.TheirPhotos > f.Photos:
		return nil, ui.UsageError("--against-photos must be from 1 to the number of --photos")
	case f.Sweep && f.Against != "":
		return nil, ui.UsageError("--threads-sweep and --against are two measurements; give one of them")
	case f.Sweep && !set.AutoShape():
		return nil, ui.UsageError("--threads-sweep tries numbers of workers and threads; leave --workers and --threads out")
	case f.Against == "" && f.TheirModel != "":
		return nil, ui.UsageError("--against-model belongs to --against")
	}
	if f.Against != "" {
		b.server, err = bench.NewServer(bench.ServerOptions{
			URL: f.Against, Model: f.TheirModel, Prompt: llm.DefaultPrompt,
			MaxTokens: f.Run.MaxTokens, Timeout: f.Run.Timeout,
		})
		if err != nil {
			return nil, ui.UsageError("--against: %w", err)
		}
	}
	return b, nil
}

// parseSize reads "1024x768".
func parseSize(s string) (width, height int, ok bool) {
	w, h, found := strings.Cut(strings.ToLower(s), "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	const most = 20_000
	ok = found && err1 == nil && err2 == nil && width >= 1 && height >= 1 && width <= most && height <= most
	return width, height, ok
}

// NewBenchLog says what goes on, a line at a time: measuring takes minutes.
func NewBenchLog(w io.Writer) func(string, ...any) {
	return func(format string, args ...any) {
		if !ui.Quiet() {
			fmt.Fprintf(w, format+"\n", args...)
		}
	}
}
