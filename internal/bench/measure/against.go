package measure

import (
	"fmt"
	"math"
	"strings"

	"photodesc/internal/bench"
	"photodesc/internal/ui"
)

// benchAgainst is a server's side, beside what both sides did: a ratio of rates
// is one of speeds only where the work is the same.
type benchAgainst struct {
	URL          string    `json:"url"`
	Model        string    `json:"model,omitempty"`
	Concurrency  int       `json:"concurrency"`
	Photos       int       `json:"photos"`
	PhotosHour   float64   `json:"photos_per_hour"`
	PhotoSeconds float64   `json:"seconds_per_photo"`
	PromptTokens float64   `json:"prompt_tokens"`   // 0: it does not say
	Tiles        float64   `json:"tiles,omitempty"` // ours that a picture's tokens would be; 0: not known
	Tokens       float64   `json:"tokens"`
	Ratio        float64   `json:"ratio"` // of our photos an hour to the server's
	Ratios       []float64 `json:"ratios"`
	SameWork     bool      `json:"same_work"`
	Differences  []string  `json:"differences,omitempty"` // why it is not the same, or not known to be
}

// against compares the server's rounds with ours, which took oursOf seconds a photo.
func (b *Benchmark) against(r *Report, rounds []benchRound, oursOf func(benchRound) float64) *benchAgainst {
	median := func(f func(benchRound) float64) float64 { return bench.MedianOf(rounds, f) }
	theirsOf := func(r benchRound) float64 { return r.server.Seconds / float64(r.server.Photos) }
	a := &benchAgainst{
		URL: b.flags.Against, Model: b.flags.TheirModel, Concurrency: b.flags.Concurrency, Photos: b.flags.TheirPhotos,
		PhotoSeconds: median(theirsOf), PhotosHour: 3600 / median(theirsOf),
		PromptTokens: rounds[0].server.PromptTokens, Tokens: rounds[0].server.Tokens,
		Ratio: median(func(r benchRound) float64 { return theirsOf(r) / oursOf(r) }),
	}
	for _, round := range rounds {
		a.Ratios = append(a.Ratios, theirsOf(round)/oursOf(round))
	}
	a.Tiles = tilesOf(a.PromptTokens, r.PromptTokens, r.Tiles, float64(b.textTokens))
	a.Differences = a.differences(r)
	a.SameWork = len(a.Differences) == 0
	return a
}

// tilesOf is how many of our tiles a picture in the server's prompt is worth,
// by its tokens; 0 where that is not known. The text is the same on both sides.
func tilesOf(theirs, ours, tiles, text float64) float64 {
	if theirs <= text || ours <= text || text <= 0 || tiles <= 0 {
		return 0
	}
	return math.Round((theirs - text) / ((ours - text) / tiles))
}

// differences says what the two sides did not do alike.
func (a *benchAgainst) differences(r *Report) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	more := func(theirs, ours float64) string {
		if theirs < ours {
			return "less"
		}
		return "more"
	}
	switch {
	case a.PromptTokens == 0:
		say("The server does not say how many tokens its prompts have: whether it does the same work is not known.")
	case a.Tiles > 0 && a.Tiles != math.Round(r.Tiles):
		say("The server does %s work: by its prompts of %s tokens it encodes %s a photo, we %s (%s tokens).",
			more(a.PromptTokens, r.PromptTokens), numberText(a.PromptTokens), tilesText(a.Tiles), tilesText(r.Tiles), numberText(r.PromptTokens))
	case math.Abs(a.PromptTokens/r.PromptTokens-1) > 0.1:
		say("The server does %s work: its prompts have %s tokens, ours %s.", more(a.PromptTokens, r.PromptTokens), numberText(a.PromptTokens), numberText(r.PromptTokens))
	}
	if a.Tokens > 0 && math.Abs(a.Tokens-r.Tokens) > 0.5 {
		say("The server wrote %s tokens a photo, we %s: it cannot be told how many.", numberText(a.Tokens), numberText(r.Tokens))
	}
	return all
}

// advice says how to make both sides encode as many tiles.
func (a *benchAgainst) advice(r *Report) string {
	switch {
	case a.Tiles == 0 || a.Tiles == math.Round(r.Tiles):
		return ""
	case a.Tiles == 1:
		return "A vision file without clip.vision.preproc_image_size makes llama.cpp's server encode one tile: give it one with that size, or us --detail low."
	}
	return "With --detail, or another vision file for the server, both encode as many."
}

func (a *benchAgainst) write(line func(string, ...any), r *Report) {
	if a == nil {
		return
	}
	line("")
	line("Server          %s photos an hour (%s a photo), %d asked at once", ui.RateText(a.PhotosHour), timeText(a.PhotoSeconds), a.Concurrency)
	all := ""
	if len(a.Ratios) > 1 {
		var each []string
		for _, x := range a.Ratios {
			each = append(each, numberText(x))
		}
		all = fmt.Sprintf(" (rounds: %s)", strings.Join(each, ", "))
	}
	line("Ratio           %s times the server's photos an hour%s", numberText(a.Ratio), all)
	work := func(tiles, prompt, tokens float64) string {
		parts := []string{numberText(prompt) + " tokens in", numberText(tokens) + " out"}
		if prompt == 0 {
			parts[0] = "tokens in not known"
		}
		if tokens == 0 {
			parts[1] = "out not known"
		}
		if tiles > 0 {
			parts = append([]string{tilesText(tiles)}, parts...)
		}
		return strings.Join(parts, ", ")
	}
	line("Work of each    ours: %s; the server's: %s", work(r.Tiles, r.PromptTokens, r.Tokens), work(a.Tiles, a.PromptTokens, a.Tokens))
	if a.SameWork {
		return
	}
	line("")
	line("The ratio is not of speeds alone, for the work differs:")
	for _, d := range a.Differences {
		line("%s", d)
	}
	if advice := a.advice(r); advice != "" {
		line("%s", advice)
	}
}
