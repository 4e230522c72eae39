package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"photodesc/bench"
	"photodesc/llm"
)

// benchFlags is what a person may say of a measurement.
type benchFlags struct {
	run         runFlags
	photos      int
	size        string
	rounds      int
	json        bool
	against     string
	theirModel  string
	theirPhotos int
	concurrency int
}

// check turns the flags into a measurement.
func (f *benchFlags) check() (*benchmark, error) {
	set, err := f.run.check()
	if err != nil {
		return nil, err
	}
	b := &benchmark{flags: *f, set: set}
	var ok bool
	if b.width, b.height, ok = parseSize(f.size); !ok {
		return nil, usageError("--size %q is not a size in pixels such as 1024x768", f.size)
	}
	if f.rounds == 0 {
		if b.flags.rounds = 1; f.against != "" {
			b.flags.rounds = 3
		}
	}
	switch {
	case f.photos < 0 || f.photos > 10_000:
		return nil, usageError("--photos must be from 1 to 10,000")
	case f.rounds < 0 || f.rounds > 1000:
		return nil, usageError("--rounds must be from 1 to 1,000")
	case f.concurrency < 1 || f.concurrency > 256:
		return nil, usageError("--concurrency must be from 1 to 256")
	case f.theirPhotos < 0 || f.photos > 0 && f.theirPhotos > f.photos:
		return nil, usageError("--against-photos must be from 1 to the number of --photos")
	case f.against == "" && f.theirModel != "":
		return nil, usageError("--against-model belongs to --against")
	}
	if f.against != "" {
		b.server, err = bench.NewServer(bench.ServerOptions{
			URL: f.against, Model: f.theirModel, Prompt: llm.DefaultPrompt,
			MaxTokens: f.run.maxTokens, Timeout: f.run.timeout,
		})
		if err != nil {
			return nil, usageError("--against: %w", err)
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

// newBenchLog says what goes on, a line at a time: measuring takes minutes.
func newBenchLog(w io.Writer) func(string, ...any) {
	return func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
}
