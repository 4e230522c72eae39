package targets

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"photodesc/internal/bench"
)

// row is one line of the table. Where the peer is needed it says so.
type row struct {
	name, text, want string
	server, bench    bool
	measure          func(*lab) (figure, error)
}

// figure is what was measured.
type figure struct {
	text string
	ok   bool
	note string
}

var rows = []row{
	{"tiles", "photos an hour against the server, 5 tiles on both sides", "8.0 times", true, false, (*lab).tiles},
	{"asis", "the same at --detail auto, the server as it comes: 13 tiles", "20 times", true, false, (*lab).asIs},
	{"encode", "encoding a tile, of what this machine's sgemm reaches", "45%", false, false, (*lab).encode},
	{"prefill", "prefill, tokens a second, against llama-bench pp512", "2.0 times", false, true, (*lab).prefill},
	{"decode", "decode, tokens a second, 16 photos together against one", "3.5 times", false, false, (*lab).decode},
	{"longdecode", "decode after prompts of 13 tiles, with our attention against ggml's", "1.4 times", false, false, (*lab).longDecode},
	{"process", "a batch's new process, of the time of 100 photos", "under 2%", false, false, (*lab).process},
	{"supervision", "supervision and tracking: a run against the bare engine", "under 3%", false, false, (*lab).supervision},
	{"busy", "beside two busy loops, one tile: of the quiet rate", "45%", false, false, (*lab).busy},
	{"busy5", "the same, 5 tiles", "45%", false, false, (*lab).busy5},
	{"pair", "two runs at once, their sum: of one run alone", "90%", false, false, (*lab).pair},
	{"niced", "beside busy loops on all cores at nice 19: of the quiet rate", "75%", false, false, (*lab).niced},
	{"walk", "walking and resuming 1,000,000 files", "10 s 300 MB", false, false, (*lab).walk},
	{"jpeg", "decoding a 12-megapixel JPEG for one frame, of one core", "40 ms", false, false, (*lab).jpeg},
}

var errNoPeer = errors.New("not measured")

// shape is a model's, with the longest edges that its vision files tell the server to resize photos to.
type shape struct {
	name      string
	fiveTiles int // of a photo of 4 to 3
	reference int // the shape's own: 13 tiles
}

// The table is of the 500M. The tiny one is for trying the table itself.
var shapes = map[string]shape{
	"smolvlm-500m": {"smolvlm-500m", 1024, 2048},
	"tiny":         {"tiny", 128, 256},
}

func (l *lab) text() string { return filepath.Join(l.models, l.shape.name+".gguf") }

func (l *lab) vision(longest int) string {
	if longest == l.shape.reference {
		return filepath.Join(l.models, "mmproj-"+l.shape.name+".gguf")
	}
	return filepath.Join(l.models, fmt.Sprintf("mmproj-%s-%d.gguf", l.shape.name, longest))
}

// report is what the rows read of `photodesc bench --json`.
type report struct {
	Tiles  float64 `json:"tiles"`
	Prompt float64 `json:"prompt_tokens"`
	Stages struct {
		Encode struct {
			Sgemm float64 `json:"sgemm_share"`
		} `json:"encode"`
		Prefill  rate `json:"prefill"`
		Generate rate `json:"generate"`
	} `json:"stages"`
	Process     share `json:"process"`
	Supervision share `json:"supervision"`
	Against     struct {
		Tiles       float64  `json:"tiles"`
		Prompt      float64  `json:"prompt_tokens"`
		Tokens      float64  `json:"tokens"`
		Ratio       float64  `json:"ratio"`
		SameWork    bool     `json:"same_work"`
		Differences []string `json:"differences"`
	} `json:"against"`
}

type rate struct {
	Tokens float64 `json:"tokens_per_second"`
}

type share struct {
	Share float64 `json:"share"`
}

// photodesc runs its bench and keeps what it printed under the given name.
func (l *lab) photodesc(name string, longest int, args ...string) (*report, error) {
	// Four photos of 13 tiles at once keep a server busy for minutes before the first answer.
	all := append([]string{"bench", "--json", "--timeout", "30m", "--model", l.text(), "--mmproj", l.vision(longest)}, args...)
	fmt.Fprintf(l.say, "photodesc %s\n", strings.Join(all, " "))
	cmd := exec.CommandContext(l.ctx, l.program, all...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	var words strings.Builder
	cmd.Stderr = io.MultiWriter(l.say, &words)
	out, err := cmd.Output()
	if err != nil {
		if _, why, found := strings.Cut(words.String(), "photodesc: "); found {
			err = errors.New(strings.TrimSpace(why))
		}
		return nil, fmt.Errorf("photodesc bench: %w", err)
	}
	if err := os.WriteFile(filepath.Join(l.out, name+".json"), out, 0o666); err != nil {
		return nil, err
	}
	r := &report{}
	return r, json.Unmarshal(out, r)
}

// Photos as the rows want them.
func (l *lab) fiveTileArgs(tokens int) []string {
	return []string{"--size", "1024x768", "--detail", strconv.Itoa(l.shape.fiveTiles), "--photos", strconv.Itoa(l.photos), "--max-tokens", strconv.Itoa(tokens)}
}

func (l *lab) roundArgs() []string { return []string{"--rounds", strconv.Itoa(l.rounds)} }

// against measures against a server with one slot and one with four; the
// better one's ratio counts.
func (l *lab) against(name string, longest, theirs int, args []string) (worst *report, note string, err error) {
	var notes []string
	for _, slots := range []int{1, 4} {
		r, err := l.againstOne(fmt.Sprintf("%s-np%d", name, slots), longest, slots, append(args, "--against-photos", strconv.Itoa(theirs)))
		if err != nil {
			return nil, "", err
		}
		notes = append(notes, fmt.Sprintf("-np %d %.2f", slots, r.Against.Ratio))
		if worst == nil || r.Against.Ratio < worst.Against.Ratio {
			worst = r
		}
	}
	return worst, strings.Join(notes, ", "), nil
}

func (l *lab) againstOne(name string, longest, slots int, args []string) (*report, error) {
	s, err := l.peer.start(l, l.text(), l.vision(longest), slots)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	args = append(append(args, l.roundArgs()...), "--against", s.url, "--concurrency", strconv.Itoa(slots))
	r, err := l.photodesc(name, longest, args...)
	if err != nil {
		return nil, err
	}
	if int(r.Against.Tokens+0.5) != l.tokens {
		return nil, fmt.Errorf("the server wrote %.1f tokens a photo instead of %d", r.Against.Tokens, l.tokens)
	}
	return r, nil
}

func (l *lab) tiles() (figure, error) {
	r, note, err := l.against("tiles", l.shape.fiveTiles, l.theirs, l.fiveTileArgs(l.tokens))
	if err != nil {
		return figure{}, err
	}
	l.kept = r
	if !r.Against.SameWork {
		return figure{}, errors.New(strings.Join(append([]string{"the two sides did not do the same work:"}, r.Against.Differences...), " "))
	}
	return times(r.Against.Ratio, 8, fmt.Sprintf("%s; %.0f tiles on both sides", note, r.Tiles)), nil
}

func (l *lab) asIs() (figure, error) {
	args := []string{"--size", "512x384", "--detail", "auto", "--photos", strconv.Itoa(l.photos), "--max-tokens", strconv.Itoa(l.tokens)}
	r, note, err := l.against("asis", l.shape.reference, (l.theirs+1)/2, args)
	if err != nil {
		return figure{}, err
	}
	return times(r.Against.Ratio, 20, fmt.Sprintf("%s; the server does more work: %.0f tokens in, ours %.0f", note, r.Against.Prompt, r.Prompt)), nil
}

func times(x, want float64, note string) figure {
	return figure{fmt.Sprintf("%.2f times", x), x >= want, note}
}

func under(x, want float64) figure {
	return figure{fmt.Sprintf("%.2f%%", 100*x), x < want, ""}
}

// own is a measurement of five tiles a photo, made once.
func (l *lab) own() (*report, error) {
	if l.kept == nil {
		r, err := l.photodesc("own", l.shape.fiveTiles, append(l.fiveTileArgs(l.tokens), l.roundArgs()...)...)
		if err != nil {
			return nil, err
		}
		l.kept = r
	}
	return l.kept, nil
}

func (l *lab) encode() (figure, error) {
	r, err := l.own()
	if err != nil {
		return figure{}, err
	}
	x := r.Stages.Encode.Sgemm
	return figure{fmt.Sprintf("%.1f%%", 100*x), x >= 0.45, ""}, nil
}

func (l *lab) process() (figure, error) {
	r, err := l.own()
	if err != nil {
		return figure{}, err
	}
	return under(r.Process.Share, 0.02), nil
}

func (l *lab) supervision() (figure, error) {
	r, err := l.own()
	if err != nil {
		return figure{}, err
	}
	return under(r.Supervision.Share, 0.03), nil
}

// prefill takes turns: ours, llama-bench's, ours, …
func (l *lab) prefill() (figure, error) {
	var ratios []float64
	var ours, theirs float64
	for round := range l.rounds {
		r, err := l.photodesc(fmt.Sprintf("prefill-%d", round+1), l.shape.fiveTiles, l.fiveTileArgs(1)...)
		if err != nil {
			return figure{}, err
		}
		ours = r.Stages.Prefill.Tokens
		if theirs, err = l.peer.prefill(l, l.text()); err != nil {
			return figure{}, err
		}
		fmt.Fprintf(l.say, "prefill: ours %.0f tokens/s, llama-bench %.0f\n", ours, theirs)
		ratios = append(ratios, ours/theirs)
	}
	return times(bench.Median(ratios), 2, fmt.Sprintf("last %.0f against %.0f tokens/s", ours, theirs)), nil
}

// decode takes turns: 16 together, one alone, …
func (l *lab) decode() (figure, error) {
	const many = 16
	var ratios []float64
	var together, alone float64
	for round := range l.rounds {
		for _, slots := range []int{many, 1} {
			photos := max(slots, 2)
			r, err := l.photodesc(fmt.Sprintf("decode-%d-of-%d", round+1, slots), l.shape.reference, "--size", "512x384", "--detail", "low", "--workers", "1",
				"--parallel", strconv.Itoa(slots), "--photos", strconv.Itoa(photos), "--max-tokens", strconv.Itoa(l.tokens))
			if err != nil {
				return figure{}, err
			}
			if slots == many {
				together = r.Stages.Generate.Tokens
			} else {
				alone = r.Stages.Generate.Tokens
			}
		}
		fmt.Fprintf(l.say, "decode: together %.1f tokens/s, alone %.1f\n", together, alone)
		ratios = append(ratios, together/alone)
	}
	return times(bench.Median(ratios), 3.5, fmt.Sprintf("last %.1f against %.1f tokens/s", together, alone)), nil
}
