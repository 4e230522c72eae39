package targets

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"photodesc/tracker"
)

// The test plays llama-server, too.
func TestMain(m *testing.M) {
	if kind := os.Getenv("PLAY_SERVER"); kind != "" {
		playServer(kind)
	}
	os.Exit(m.Run())
}

func playServer(kind string) {
	if os.Args[1] == "--version" {
		fmt.Println("noise\nversion: 1.2.3")
		os.Exit(0)
	}
	flags := flag.NewFlagSet("llama-server", flag.ExitOnError)
	text, vision := flags.String("m", "", ""), flags.String("mmproj", "", "")
	port := flags.Int("port", 0, "")
	for _, name := range []string{"np", "t", "cache-ram", "host"} {
		flags.String(name, "", "")
	}
	flags.Parse(os.Args[1:])
	for _, f := range []string{*text, *vision} {
		if _, err := os.Stat(f); err != nil {
			kind = "broken"
		}
	}
	if kind == "broken" {
		fmt.Println("cannot load the model")
		os.Exit(1)
	}
	asked := 0
	http.ListenAndServe(fmt.Sprintf("127.0.0.1:%d", *port), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked < 3 {
			w.WriteHeader(http.StatusServiceUnavailable) // loading
		}
	}))
	os.Exit(1)
}

// newLab is a lab with a program that prints the given script's output.
func newLab(t *testing.T, script string) *lab {
	t.Helper()
	dir := t.TempDir()
	l := &lab{ctx: context.Background(), shape: shapes["smolvlm-500m"], say: io.Discard, options: options{
		program: filepath.Join(dir, "photodesc"), models: dir, out: dir, photos: 4, theirs: 2, tokens: 64, rounds: 1, files: 1_000_000,
	}}
	if err := os.WriteFile(l.program, []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{l.text(), l.vision(1024), l.vision(2048)} {
		if err := os.WriteFile(f, []byte("GGUF"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *lab) server(t *testing.T, kind string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PLAY_SERVER", kind)
	l.peer.server = []string{self}
}

// With one slot the server is slower here than with four, which therefore counts.
const againstScript = `case "$*" in *"--concurrency 1"*) r=9.5;; *) r=8.5;; esac
echo '{"tiles":5,"prompt_tokens":300,"stages":{"encode":{"sgemm_share":0.5}},"process":{"share":0.01},"supervision":{"share":0.04},"against":{"tiles":5,"prompt_tokens":310,"tokens":64,"same_work":true,"ratio":'$r'}}'
`

func TestAgainstServer(t *testing.T) {
	l := newLab(t, againstScript)
	l.server(t, "good")
	if v := l.peer.version(l.ctx); v != "version: 1.2.3" {
		t.Errorf("version %q", v)
	}
	var out bytes.Buffer
	if err := l.table(&out, rows[:1]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"tiles", "8.50 times", "reached; -np 1 9.50, -np 4 8.50; 5 tiles on both sides"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, &out)
		}
	}
	if _, err := os.Stat(filepath.Join(l.out, "tiles-np4.json")); err != nil {
		t.Error(err)
	}
	// Rows of our own read the same measurement.
	os.Remove(l.program)
	for name, want := range map[string]figure{"encode": {"50.0%", true, ""}, "process": {"1.00%", true, ""}, "supervision": {"4.00%", false, ""}} {
		chosen, err := choose([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.measure(chosen[0]); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
}

func TestUnlikeServers(t *testing.T) {
	for _, test := range []struct{ kind, script, want string }{
		{"broken", againstScript, "the server ended at once"},
		{"good", `echo '{"prompt_tokens":300,"against":{"prompt_tokens":80,"tokens":64,"ratio":9,"same_work":false,"differences":["One tile."]}}'`, "did not do the same work: One tile."},
		{"good", `echo '{"prompt_tokens":300,"against":{"prompt_tokens":300,"tokens":12.5,"ratio":9}}'`, "12.5 tokens a photo instead of 64"},
		{"good", `echo oh >&2; exit 1`, "photodesc bench: exit status 1"},
		{"good", `printf 'Loading\nphotodesc: no memory\n  buy some\n' >&2; exit 1`, "failed: photodesc bench: no memory"},
	} {
		l := newLab(t, test.script)
		l.server(t, test.kind)
		var out bytes.Buffer
		if err := l.table(&out, rows[:1]); err == nil || !strings.Contains(err.Error(), "could not measure: tiles") {
			t.Errorf("%s: %v", test.want, err)
		}
		if !strings.Contains(out.String(), test.want) {
			t.Errorf("the table does not say %q:\n%s", test.want, &out)
		}
	}
}

func TestTurns(t *testing.T) {
	l := newLab(t, `case "$*" in *"--parallel 16"*) g=400;; *) g=100;; esac
echo '{"stages":{"generate":{"tokens_per_second":'$g'},"prefill":{"tokens_per_second":900}}}'
`)
	if f, err := l.decode(); err != nil || f.text != "4.00 times" || !f.ok {
		t.Errorf("%+v, %v", f, err)
	}
	bench := filepath.Join(l.out, "llama-bench")
	if err := os.WriteFile(bench, []byte("#!/bin/sh\necho '[{\"avg_ts\":600}]'\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	l.peer.bench = []string{bench}
	if f, err := l.prefill(); err != nil || f.text != "1.50 times" || f.ok {
		t.Errorf("%+v, %v", f, err)
	}
}

// What go test prints of the two benchmarks, here in a stand-in's words.
func TestGoBenchmarks(t *testing.T) {
	l := newLab(t, "")
	t.Setenv("PATH", l.out+":"+os.Getenv("PATH"))
	says := func(text string) {
		t.Helper()
		script := "#!/bin/sh\n[ \"$PHOTODESC_BENCH_MODEL\" = '" + l.text() + "' ] && cat <<'END'\n" + text + "END\n"
		if err := os.WriteFile(filepath.Join(l.out, "go"), []byte(script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	const two = "BenchmarkLongDecode/16x2-2 3 2.500 times 250.4 tokens/s 100.2 tokens/s-without\nBenchmarkLongDecode/8x1-2 3 1.300 times 130.0 tokens/s 100.0 tokens/s-without\nPASS\n"
	says(two)
	want := figure{"1.30 times", false, "16 slots 2.50: 250 against 100 tokens/s; 8 slots, one thread 1.30: 130 against 100 tokens/s"}
	if f, err := l.longDecode(); err != nil || f != want {
		t.Errorf("%+v, %v\nwant %+v", f, err, want)
	}
	says(two[:strings.Index(two, "\n")+1] + "--- SKIP: BenchmarkLongDecode/8x1\n")
	if f, err := l.longDecode(); err == nil {
		t.Errorf("half a measurement is taken for one: %+v", f)
	}
	says("BenchmarkX-2   \t 30\t 37 ns/op\t 3.2 MB\t 38.5 cpu-ms/op\n")
	if f, err := l.jpeg(); err != nil || f != (figure{"38.5 ms", true, ""}) {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestNoPeer(t *testing.T) {
	l := newLab(t, "exit 1")
	var out bytes.Buffer
	chosen, _ := choose([]string{"asis", "prefill"})
	if err := l.table(&out, chosen); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out.String(), "PEER names no llama-server") || !strings.Contains(out.String(), "PEER_BENCH names no llama-bench") {
		t.Error(out.String())
	}
	if _, err := findPeer("no-such-program here", ""); err == nil || !strings.Contains(err.Error(), "PEER: ") {
		t.Error(err)
	}
}

func TestTryIsNotJudged(t *testing.T) {
	l := newLab(t, `echo '{"stages":{"encode":{"sgemm_share":0.9}}}'`)
	l.tokens = 2
	var out bytes.Buffer
	chosen, _ := choose([]string{"encode"})
	if err := l.table(&out, chosen); err != nil || !strings.Contains(out.String(), "90.0%     a try, not judged") {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"encoding"}, `there is no row "encoding"; the rows are tiles, asis`},
		{[]string{"-shape", "huge"}, `no shape "huge"`},
		{[]string{"-peer-photos", "99"}, "no more photos than we"},
		{[]string{"-models", "nowhere"}, "`make bench` makes what is needed"},
	} {
		if err := Run(context.Background(), test.args, io.Discard); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v", test.args, err)
		}
	}
}

func TestLend(t *testing.T) {
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "root/tmp"), 0o777)
	file := filepath.Join(dir, "a.gguf")
	os.WriteFile(file, []byte("GGUF"), 0o666)

	names, done, err := lend([]string{"llama-server"}, file)
	if err != nil || !reflect.DeepEqual(names, []string{file}) {
		t.Error(names, err)
	}
	done()
	names, done, err = lend([]string{"/usr/sbin/chroot", filepath.Join(dir, "root"), "llama-server"}, file)
	if err != nil {
		t.Fatal(err)
	}
	inside := filepath.Join(dir, "root", names[0])
	if b, err := os.ReadFile(inside); err != nil || string(b) != "GGUF" || !strings.HasPrefix(names[0], "/tmp/") {
		t.Error(names, err)
	}
	done()
	if _, err := os.Stat(filepath.Dir(inside)); !os.IsNotExist(err) {
		t.Error("what was lent is still there")
	}
	if _, err := os.Stat(file); err != nil {
		t.Error("the file itself is gone")
	}
}

func TestOthersOutput(t *testing.T) {
	if x, err := benchRate([]byte(`[{"n_prompt":512,"avg_ts":715.25,"stddev_ts":1}]`)); err != nil || x != 715.25 {
		t.Error(x, err)
	}
	for _, bad := range []string{"", "[]", "[{}]", `[{"avg_ts":1},{"avg_ts":2}]`} {
		if _, err := benchRate([]byte(bad)); err == nil {
			t.Errorf("%q is taken for a rate", bad)
		}
	}
	out := "goos: linux\nBenchmarkX-2   \t 30\t 37 ns/op\t 3.2 MB\t 38.5 cpu-ms/op\nBenchmarkX-2  30 37 ns/op 41 cpu-ms/op\nPASS\n"
	if got := benchFigures(out, "cpu-ms/op"); !reflect.DeepEqual(got, []float64{38.5, 41}) {
		t.Error(got)
	}
}

func TestMakeTree(t *testing.T) {
	l := newLab(t, "")
	l.files = 1001
	photos, work := filepath.Join(t.TempDir(), "photos"), filepath.Join(t.TempDir(), "work")
	if err := makeTree(l, photos, work); err != nil {
		t.Fatal(err)
	}
	made, err := filepath.Glob(filepath.Join(photos, "*/*.jpg"))
	if err != nil || len(made) != 1001 {
		t.Errorf("%d files, %v", len(made), err)
	}
	tr, err := tracker.Open(work, tracker.Options{Root: photos})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for _, path := range made {
		if rel, _ := filepath.Rel(photos, path); !tr.Done(rel) {
			t.Fatalf("the tracker does not take %s for described", rel)
		}
	}
	if n := tr.Notes(); len(n) > 0 {
		t.Errorf("the tracker mended something: %v", n)
	}
}
