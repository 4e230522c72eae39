package llm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"photodesc/internal/models/gguf/gguftest"
)

const builtinDir = "../internal/models/builtin"

// tiny is the folder of small models: some with random weights, and the
// built-in one in Q8_0.
var tiny string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if tiny = os.Getenv("PHOTODESC_TEST_MODELS"); tiny != "" {
			return m.Run() // in a process that a test has started
		}
		dir, err := os.MkdirTemp("", "photodesc-llm-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := gguftest.WriteModels(dir, "-type", "f16"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if out, err := exec.Command("go", "run", "photodesc/tools/quantise", "-o", dir, filepath.Join(builtinDir, "builtin.gguf"), filepath.Join(builtinDir, "mmproj-builtin.gguf")).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "quantise: %v\n%s", err, out)
			return 1
		}
		tiny = dir
		os.Setenv("PHOTODESC_TEST_MODELS", dir) // for processes that a test starts
		code := m.Run()
		if n := handles.Load(); n != 0 {
			fmt.Fprintf(os.Stderr, "%d C objects were not closed\n", n)
			return 1
		}
		return code
	}())
}

// tinyOptions loads the small model. One thread: it is too small for two, and
// threads that wait for each other suffer most on a busy machine.
func tinyOptions() Options {
	return Options{
		Model:     filepath.Join(tiny, "tiny.gguf"),
		Vision:    filepath.Join(tiny, "mmproj-tiny.gguf"),
		Parallel:  1,
		Threads:   1,
		MaxTokens: 32,
		Detail:    DetailAuto,
	}
}

func open(t testing.TB, change func(*Options)) *Engine {
	t.Helper()
	opt := tinyOptions()
	if change != nil {
		change(&opt)
	}
	e, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func openOther(t testing.TB, name string, change func(*Options)) *Engine {
	t.Helper()
	return open(t, func(o *Options) {
		o.Model = filepath.Join(tiny, name+".gguf")
		o.Vision = filepath.Join(tiny, "mmproj-"+name+".gguf")
		if change != nil {
			change(o)
		}
	})
}

// eachOther runs a test with each small model that llama.cpp's multimodal library
// encodes pictures for.
func eachOther(t *testing.T, test func(t *testing.T, name string)) {
	for _, name := range gguftest.Others {
		t.Run(name, func(t *testing.T) { test(t, name) })
	}
}

// scene is a picture that depends on its number everywhere.
func scene(n, w, h int) Picture {
	p := Picture{Width: w, Height: h, Pix: make([]byte, w*h*3)}
	for y := range h {
		for x := range w {
			at := (y*w + x) * 3
			p.Pix[at] = byte(x*(n+1) + y)
			p.Pix[at+1] = byte(y*(n+3) - x*n)
			p.Pix[at+2] = byte((x/(n+2) ^ y/(n+5)) * 40)
		}
	}
	return p
}
