package measure

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"photodesc/internal/bench"
)

func TestReadRun(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	events := `{"event":"start","time":"2026-01-01T00:00:01Z"}
{"event":"worker","time":"2026-01-01T00:00:02Z","action":"start","worker":1}
{"event":"worker","time":"2026-01-01T00:00:03Z","action":"ready","worker":1,"seconds":1}
{"event":"photo","path":"a","status":"ok","tiles":5,"prompt_tokens":100,"tokens":10,"seconds":{"decode":9,"encode":2,"prompt":0.5,"generate":1,"total":13},"time":"2026-01-01T00:00:05Z"}
{"event":"worker","time":"2026-01-01T00:00:06Z","action":"ready","worker":2,"seconds":2}
{"event":"photo","path":"b","status":"ok","tiles":3,"prompt_tokens":60,"tokens":10,"seconds":{"encode":1,"prompt":0.25,"generate":1},"time":"2026-01-01T00:00:09Z"}
{"event":"memory","worker_bytes":700,"time":"2026-01-01T00:00:09Z"}
{"event":"memory","worker_bytes":500,"time":"2026-01-01T00:00:09Z"}
{"event":"summary","time":"2026-01-01T00:00:20Z"}
`
	got, err := readRun(strings.NewReader(events), began)
	want := runResult{photos: 2, start: 3, load: 1.5, took: 6, memory: 700, encode: 3, prefill: 0.75, generate: 2, tiles: 8, promptTokens: 160, tokens: 20}
	if err != nil || got != want {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	failed := events + `{"event":"photo","path":"c","status":"failed","error":{"kind":"timeout","message":"too slow"},"time":"2026-01-01T00:00:09Z"}` + "\n"
	if _, err := readRun(strings.NewReader(failed), began); err == nil || !strings.Contains(err.Error(), "too slow") {
		t.Errorf("a failed photo: %v", err)
	}
	if _, err := readRun(strings.NewReader("photodesc\n"), began); err == nil {
		t.Error("text is taken for events")
	}
}

// The report of rounds with known figures, by hand.
func TestBenchReport(t *testing.T) {
	b := &Benchmark{flags: Flags{Photos: 4, TheirPhotos: 2, Concurrency: 1, Against: "http://x"}}
	b.Plan.Threads = 2
	b.flags.Run.BatchSize = 100
	b.Plan.Workers, b.Plan.Slots = 2, 8
	b.server = new(bench.Server)
	round := func(slow float64) benchRound {
		return benchRound{
			limits: Limits{Sgemm: 200 / slow, Read: 20},
			run:    runResult{photos: 4, start: 5, load: 2, took: 8 * slow, encode: 8 * slow, prefill: 2 * slow, generate: 4 * slow, tiles: 20, promptTokens: 400, tokens: 256},
			engine: engineResult{photos: 4, took: 7.6 * slow, decode: 0.004},
			server: bench.Round{Photos: 2, Seconds: 12.06 * slow, PromptTokens: 100, Tokens: 64},
		}
	}
	r := b.report([]benchRound{round(1), round(10), round(1)})
	near := func(what string, got, want float64) {
		t.Helper()
		if got < want*0.9999 || got > want*1.0001 {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	near("seconds a photo", r.PhotoSeconds, 2.01) // 8/4 and 2 s for each of 2 workers' 100
	near("photos an hour", r.PhotosHour, 3600/2.01)
	near("encode", r.Stages.Encode.Seconds, 1)
	near("encode's share", r.Stages.Encode.Share, 0.5)
	near("tiles", r.Stages.Encode.Tiles, 5)
	near("prefill", r.Stages.Prefill.Tokens, 400)
	near("generate", r.Stages.Generate.Tokens, 128)
	near("process", r.Process.Share, 0.01/2.01)
	near("supervision", r.Supervision.Share, 8/7.6-1)
	near("supervision in seconds", r.Supervision.Seconds, 0.1)
	near("the server's time", r.Against.PhotoSeconds, 6.03)
	near("ratio", r.Against.Ratio, 3)
	if len(r.Against.Ratios) != 3 {
		t.Errorf("the ratios are %v", r.Against.Ratios)
	}
}

// Where the limit or the arithmetic is not known, no share is made up.
func TestBenchWithoutLimits(t *testing.T) {
	b := &Benchmark{flags: Flags{Photos: 1}}
	b.Plan.Threads, b.Model = 1, "m"
	b.flags.Run.BatchSize = 100
	b.Plan.Workers, b.Plan.Slots = 1, 1
	round := benchRound{
		limits: Limits{Threads: 1, Sgemm: 100, Read: 10, GPU: "CUDA0"},
		run:    runResult{photos: 1, took: 1, encode: 0.5, prefill: 0.1, generate: 0.1, tiles: 1, promptTokens: 80, tokens: 8},
		engine: engineResult{photos: 1, took: 0.9},
	}
	var text strings.Builder
	if err := b.report([]benchRound{round}).Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"on CUDA0, whose limit is not known", "encode            500 ms   50.0%  500 ms a tile\n", "generate          100 ms   10.0%  80 tokens/s\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not said:\n%s", want, &text)
		}
	}
}

// What the two sides did is in the report, and a ratio of unlike work is no
// comparison.
func TestBenchAgainst(t *testing.T) {
	// Five tiles of 67 tokens and 15 of text, 64 out, as of the 500M.
	const tiles, prompt, text, tokens = 5, 350, 15, 64
	tests := map[string]struct {
		prompt, tokens float64
		text           int
		tiles          float64 // of the server
		same           bool
		want           []string
	}{
		"the same":         {352, 64, text, 5, true, []string{"ours: 5 tiles, 350 tokens in, 64 out; the server's: 5 tiles, 352 tokens in, 64 out\n"}},
		"one tile":         {82, 64, text, 1, false, []string{"does less work: by its prompts of 82 tokens it encodes 1 tile a photo, we 5 tiles (350 tokens)", "preproc_image_size"}},
		"13 tiles":         {878, 64, text, 13, false, []string{"does more work: by its prompts of 878 tokens it encodes 13 tiles a photo, we 5 tiles", "another vision file"}},
		"four tiles":       {283, 64, text, 4, false, []string{"encodes 4 tiles a photo"}},
		"a longer text":    {411, 64, 15, 6, false, []string{"encodes 6 tiles"}},
		"text not known":   {500, 64, 0, 0, false, []string{"its prompts have 500 tokens, ours 350", "the server's: 500 tokens in"}},
		"nothing is known": {0, 0, 0, 0, false, []string{"whether it does the same work is not known", "the server's: tokens in not known, out not known"}},
		"too few words":    {350, 12, text, 5, false, []string{"wrote 12 tokens a photo, we 64"}},
		"only text":        {350, 64, 400, 0, true, nil},
	}
	for name, test := range tests {
		b := &Benchmark{flags: Flags{Photos: 1, TheirPhotos: 1, Against: "http://x"}, textTokens: test.text, server: new(bench.Server)}
		b.flags.Run.BatchSize, b.Plan.Threads, b.Plan.Workers, b.Plan.Slots = 100, 1, 1, 1
		r := b.report([]benchRound{{
			limits: Limits{Threads: 1, Sgemm: 100, Read: 10},
			run:    runResult{photos: 1, took: 2, encode: 1, prefill: 0.1, generate: 0.5, tiles: tiles, promptTokens: prompt, tokens: tokens},
			engine: engineResult{photos: 1, took: 1.9},
			server: bench.Round{Photos: 1, Seconds: 10, PromptTokens: test.prompt, Tokens: test.tokens},
		}})
		if r.Against.SameWork != test.same || r.Against.Tiles != test.tiles {
			t.Errorf("%s: %+v", name, r.Against)
		}
		var out strings.Builder
		if err := r.Write(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is not said:\n%s", name, want, &out)
			}
		}
		if strings.Contains(out.String(), "not of speeds alone") == test.same {
			t.Errorf("%s: same work %v, but\n%s", name, test.same, &out)
		}
		js, err := json.Marshal(r)
		if err != nil || strings.Contains(string(js), `"same_work":true`) != test.same || strings.Contains(string(js), `"differences"`) == test.same {
			t.Errorf("%s: %s, %v", name, js, err)
		}
	}
}
