package llm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCancel(t *testing.T) {
	e := open(t, func(o *Options) { o.MaxTokens = 500; o.Exact = true })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := e.Describe(ctx, scene(1, 64, 64)); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want cancelled", err)
	}
	// The slot is free again and its cache empty: the next answer is complete.
	if a, err := e.Describe(t.Context(), scene(1, 64, 64)); err != nil || a.Tokens != 500 {
		t.Fatalf("after a cancelled photo: %d tokens, %v", a.Tokens, err)
	}
}

func TestCloseEndsAnswers(t *testing.T) {
	opt := tinyOptions()
	opt.MaxTokens, opt.Exact = 1000, true
	e, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for {
				_, err := e.Describe(context.Background(), scene(i, 64, 64))
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	time.Sleep(30 * time.Millisecond)
	e.Close()
	wg.Wait()
	e.Close() // twice does no harm
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.gguf")
	if err := os.WriteFile(junk, []byte(strings.Repeat("not a model ", 100)), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"no text model":         func(o *Options) { o.Model = filepath.Join(dir, "none.gguf") },
		"no vision file":        func(o *Options) { o.Vision = filepath.Join(dir, "none.gguf") },
		"junk as text model":    func(o *Options) { o.Model = junk },
		"junk as vision file":   func(o *Options) { o.Vision = junk },
		"vision as text model":  func(o *Options) { o.Model = o.Vision },
		"text model as vision":  func(o *Options) { o.Vision = o.Model },
		"more tokens than room": func(o *Options) { o.MaxTokens = 5000 },
	} {
		t.Run(name, func(t *testing.T) {
			before := handles.Load()
			opt := tinyOptions()
			change(&opt)
			e, err := Open(opt)
			if err == nil {
				e.Close()
				t.Fatal("no error")
			}
			if handles.Load() != before {
				t.Errorf("%d C objects left behind", handles.Load()-before)
			}
		})
	}
}

// Handles and anonymous memory come back: engines opened and closed, and many
// photos through one engine.
func TestNoLeak(t *testing.T) {
	before := handles.Load()
	cycle := func() {
		opt := tinyOptions()
		opt.MaxTokens = 4
		opt.Sampling = Sampling{Temperature: 1}
		e, err := Open(opt)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			if _, err := e.Describe(t.Context(), scene(i, 128, 96)); err != nil {
				t.Fatal(err)
			}
		}
		e.Close()
	}
	for range 15 {
		cycle()
	}
	mid := anonymous(t)
	for range 25 {
		cycle()
	}
	end := anonymous(t)
	if n := handles.Load() - before; n != 0 {
		t.Errorf("%d C objects left", n)
	}
	// An engine of this model holds 2.5 MB; 25 leaked ones would show.
	if end > mid+20<<20 {
		t.Errorf("anonymous memory grew from %d to %d MiB over 25 engines", mid>>20, end>>20)
	}
}

func TestLog(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	SetLog(func(l Level, s string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprint(l, " ", s))
	})
	defer SetLog(nil)
	open(t, nil)
	mu.Lock()
	defer mu.Unlock()
	all := strings.Join(lines, "\n")
	for _, want := range []string{"llama_model_loader:", "load_hparams:", "llama_context:"} {
		if !strings.Contains(all, want) {
			t.Errorf("nothing of %q in the log", want)
		}
	}
	for _, s := range lines {
		if strings.Contains(s, "\n") {
			t.Errorf("a log line has two lines: %q", s)
		}
	}
}
