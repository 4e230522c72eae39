package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"photodesc/internal/ui"

	"github.com/spf13/pflag"
)

// alone gives a test a home without settings, and no variables of ours.
func alone(t testing.TB) (home, work string) {
	home, work = t.TempDir(), t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); strings.HasPrefix(name, variablePrefix) {
			t.Setenv(name, "")
		}
	}
	return home, work
}

func writeFile(t testing.TB, text string, elem ...string) string {
	t.Helper()
	path := filepath.Join(elem...)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	return path
}

// configured is what a run with some flags would have.
func configured(t testing.TB, workdir string, args ...string) (*Flags, *Config, error) {
	t.Helper()
	var f Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Register(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, _, err := f.Configure(workdir, set)
	return &f, c, err
}

func TestParseConfig(t *testing.T) {
	for _, x := range []struct {
		text string
		want []configEntry
		err  string // "LINE: words"
	}{
		{"", nil, ""},
		{"\ufeff# nothing\n\n", nil, ""},
		{"detail = \"low\"\n\nbatch-size=50 # small", []configEntry{{"detail", 1, []string{"low"}, false}, {"batch-size", 3, []string{"50"}, false}}, ""},
		{"a = 0.5\r\nb = true\r\nc = 'x\\y'", []configEntry{{"a", 1, []string{"0.5"}, false}, {"b", 2, []string{"true"}, false}, {"c", 3, []string{`x\y`}, false}}, ""},
		{"prompt = \"\"\"\none\ntwo\"\"\"\nb=1_000", []configEntry{{"prompt", 1, []string{"one\ntwo"}, false}, {"b", 4, []string{"1000"}, false}}, ""},
		{"prompt = [\n \"a\",\n 'b', 3,\n]\nx=[]", []configEntry{{"prompt", 1, []string{"a", "b", "3"}, true}, {"x", 5, []string{}, true}}, ""},
		{"\n\"quoted key\" = 1", []configEntry{{"quoted key", 2, []string{"1"}, false}}, ""},
		{"a = 1\ndetail = low", nil, "2: this is not TOML"},
		{"a = 1\nb = 2\na = 3", nil, "3: this is not TOML"},
		{"a = 1\n[run]\nb = 2", nil, `2: "run" is a table`},
		{"[[run]]", nil, `1: "run" is a table`},
		{"\nrun.detail = 1", nil, `2: "run" is a table`},
		{"a = {b = 1}", nil, "1: a: a table is not a value"},
		{"a = [[1]]", nil, "1: a: a list within a list"},
		{"a = 2025-11-23", nil, "1: a: a date is not a value"},
		{"a = \"\xff\"", nil, "1: this is not TOML"},
	} {
		got, err := parseConfig([]byte(x.text))
		if x.err == "" {
			if err != nil || !reflect.DeepEqual(got, x.want) {
				t.Errorf("%q: %+v, %v", x.text, got, err)
			}
			continue
		}
		line, words, _ := strings.Cut(x.err, ": ")
		var bad *lineError
		if !errors.As(err, &bad) || line != ui.Comma(bad.line) || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v at %+v, want %s", x.text, err, bad, x.err)
		}
	}
}

// A prompt in a file counts beside a prompt-file in the same one, even if it is
// the default; a list of nothing is refused.
func TestPromptsOfFiles(t *testing.T) {
	_, work := alone(t)
	writeFile(t, "Is it art?", work, "q.txt")
	for _, x := range []struct {
		file string
		args []string
		want string // names, or an error's words
	}{
		{"", nil, "[describe]"},
		{"prompt-file = 'q.txt'", nil, "[prompt-1]"},
		{"prompt = 'describe'\nprompt-file = 'q.txt'", nil, "[describe prompt-2]"},
		{"prompt-file = ['q.txt']", []string{"--prompt", "describe"}, "[describe]"},
		{"prompt = []\nprompt-file = 'q.txt'", nil, "[prompt-1]"},
		{"prompt = []", nil, ":1: prompt: the list is empty"},
		{"prompt = ['short', 'short']", nil, "is there twice"},
		{"prompt-file = ['q.txt', 'q.txt']", nil, "is there twice"},
		{"prompt = 'Is it art?'\nprompt-file = 'q.txt'", nil, "is there twice"},
	} {
		writeFile(t, x.file, work, configName)
		f, _, err := configured(t, work, x.args...)
		if err != nil {
			if !strings.Contains(err.Error(), x.want) {
				t.Errorf("%q: %v, want %s", x.file, err, x.want)
			}
			continue
		}
		if q, err := f.ask(); err != nil || fmt.Sprint(q.Names()) != x.want {
			t.Errorf("%q: %v, %v; want %s", x.file, q.Names(), err, x.want)
		}
	}
	t.Setenv("PHOTODESC_PROMPT", "[]")
	if _, _, err := configured(t, t.TempDir()); err == nil || !strings.Contains(err.Error(), "PHOTODESC_PROMPT: prompt: the list is empty") {
		t.Error(err)
	}
}

// TestLevels puts the same setting into more and more places.
func TestLevels(t *testing.T) {
	home, work := alone(t)
	check := func(want string, l level, place string, args ...string) {
		t.Helper()
		f, c, err := configured(t, work, args...)
		if err != nil || f.Detail != want || c.Sources["detail"].level != l || c.Sources["detail"].Place != place {
			t.Errorf("%q, %+v, %v; want %q from %s", f.Detail, c, err, want, place)
		}
	}
	check("auto", fromDefault, "")
	user := writeFile(t, "timeout = '7m'\ndetail = 'low'", home, "config", "photodesc", configName)
	check("low", fromUser, user+":2")
	here := writeFile(t, "detail = 768", work, configName)
	check("768", fromWorkdir, here+":1")
	t.Setenv("PHOTODESC_DETAIL", "512")
	check("512", fromEnvironment, "PHOTODESC_DETAIL")
	check("high", fromFlag, "--detail", "--detail", "high")
	check("auto", fromFlag, "--detail", "--detail=auto")
	check("auto", fromDefault, "", "--no-config")

	// Who goes on with a run reads the files again, and has not got the variables.
	var f Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Register(set)
	set.Parse([]string{"--max-tokens", "9", "--limit", "3"})
	if _, _, err := f.Configure(work, set); err != nil || f.Timeout.Minutes() != 7 {
		t.Error(f.Timeout, err)
	}
	if got := ResumeArgs(set); !slices.Equal(got, []string{"--detail=512", "--max-tokens=9"}) {
		t.Error(got)
	}
}

// TestReplaces has a model of a higher level put the vision file of a lower one
// out of force.
func TestReplaces(t *testing.T) {
	home, work := alone(t)
	writeFile(t, "model = 'm/x.gguf'\nmmproj = '~/v.gguf'", home, "config", "photodesc", configName)
	base := filepath.Join(home, "config", "photodesc")
	f, _, err := configured(t, work)
	if err != nil || f.Model != filepath.Join(base, "m/x.gguf") || f.Mmproj != filepath.Join(home, "v.gguf") {
		t.Errorf("%q, %q, %v", f.Model, f.Mmproj, err)
	}
	if f, _, err := configured(t, work, "--model", "builtin"); err != nil || f.Mmproj != "" {
		t.Errorf("%q, %v", f.Mmproj, err)
	}
	if f, _, err := configured(t, work, "--mmproj", "other.gguf"); err != nil || f.Mmproj != "other.gguf" || !strings.HasSuffix(f.Model, "x.gguf") {
		t.Errorf("%q, %q, %v", f.Model, f.Mmproj, err)
	}
	writeFile(t, "model = 'builtin'", work, configName)
	if f, _, err := configured(t, work); err != nil || f.Model != "builtin" || f.Mmproj != "" {
		t.Errorf("%q, %q, %v", f.Model, f.Mmproj, err)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, x := range []struct{ file, name, value, want string }{
		{file: "\ntop_p = 0.5", want: `photodesc.toml:2: there is no setting "top_p"; did you mean top-p?`},
		{file: "modle = 'smolvlm'", want: `photodesc.toml:1: there is no setting "modle"; did you mean model?`},
		{file: "zzzzzzzzzzzz = 1", want: "photodesc.toml:1: there is no setting \"zzzzzzzzzzzz\"\n"},
		{file: "limit = 5", want: "photodesc.toml:1: limit belongs to one run and is no setting\n  give --limit"},
		{file: "workdir = 'x'", want: `there is no setting "workdir"`},
		{file: "help = true", want: `there is no setting "help"`},
		{file: "batch-size = 'many'", want: `photodesc.toml:1: batch-size: "many" is not a whole number`},
		{file: "batch-size = 0", want: "photodesc.toml:1: batch-size must be at least 1"},
		{file: "temperature = nan", want: "photodesc.toml:1: temperature, --top-p"},
		{file: "seed = -1", want: `seed: "-1" is not a whole number`},
		{file: "timeout = 300", want: `timeout: "300" is not a time such as 90s or 5m`},
		{file: "keep-awake = 'please'", want: `keep-awake: "please" is not true or false`},
		{file: "detail = 'fine'", want: "photodesc.toml:1: detail: "},
		{file: "redo = 'all'", want: `photodesc.toml:1: redo: "all" is not ask, changed or never`},
		{file: "detail = ['low']", want: "photodesc.toml:1: detail has one value, not a list"},
		{file: "detail = ", want: "photodesc.toml:1: this is not TOML"},
		{name: "PHOTODESC_DETIAL", value: "low", want: "the variable PHOTODESC_DETIAL is no setting; did you mean PHOTODESC_DETAIL?"},
		{name: "PHOTODESC_MAX_TOKENS", value: "lots", want: `PHOTODESC_MAX_TOKENS: max-tokens: "lots" is not a whole number`},
		{name: "PHOTODESC_MEMORY", value: "lots", want: "PHOTODESC_MEMORY: memory: "},
	} {
		t.Run(x.file+x.name, func(t *testing.T) {
			_, work := alone(t)
			if x.file != "" {
				writeFile(t, x.file, work, configName)
			}
			if x.name != "" {
				t.Setenv(x.name, x.value)
			}
			_, _, err := configured(t, work)
			if err == nil || ui.ExitCode(err) != ui.ExitUsage || !strings.Contains(err.Error(), x.want) {
				t.Errorf("error %v, want %q in it", err, x.want)
			}
		})
	}
	_, work := alone(t)
	for _, name := range append(ownVariables, "PHOTODESC_OF_MY_OWN") {
		t.Setenv(name, "anything")
	}
	if _, c, err := configured(t, work); err != nil || len(c.Sources) != 0 {
		t.Error(c, err)
	}
	os.Mkdir(filepath.Join(work, configName), 0o755)
	if _, _, err := configured(t, work); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Error(err)
	}
}

// TestLists sets flags that may be given several times.
func TestLists(t *testing.T) {
	_, work := alone(t)
	names := func(args ...string) ([]string, *pflag.FlagSet) {
		t.Helper()
		var f Flags
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.Register(set)
		got := set.StringArray("word", []string{"default"}, "")
		set.Parse(args)
		if _, _, err := f.Configure(work, set); err != nil {
			t.Error(err)
		}
		return *got, set
	}
	check := func(got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	got, _ := names()
	check(got, "default")
	writeFile(t, "word = ['a, b', 'c']", work, configName)
	got, _ = names()
	check(got, "a, b", "c")
	t.Setenv("PHOTODESC_WORD", "a, [b]")
	got, _ = names()
	check(got, "a, [b]")
	t.Setenv("PHOTODESC_WORD", `["x", "y"]`)
	got, set := names()
	check(got, "x", "y")
	check(ResumeArgs(set), "--word=x", "--word=y")
	if s := valueText(valueOf(set.Lookup("word"))); s != `["x", "y"]` {
		t.Error(s)
	}
	got, _ = names("--word", "1", "--word", "2")
	check(got, "1", "2")
}

// TestVariables holds the names of variables apart from those in other use.
func TestVariables(t *testing.T) {
	var f Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Register(set)
	for _, flag := range SettingFlags(set) {
		if slices.Contains(ownVariables, variable(flag.Name)) {
			t.Errorf("--%s would be %s, which is in use", flag.Name, variable(flag.Name))
		}
	}
	for _, name := range slices.Concat(NonSemantic, AlwaysRecorded, FileFlags) {
		if set.Lookup(name) == nil {
			t.Errorf("there is no flag --%s", name)
		}
	}
}

// TestExample is the file to begin with: every setting, and with the # taken
// away as it was.
func TestExample(t *testing.T) {
	_, work := alone(t)
	var b bytes.Buffer
	if err := WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	entries, err := parseConfig(b.Bytes())
	if err != nil || len(entries) != 0 {
		t.Errorf("%+v, %v", entries, err)
	}
	var lines []string
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			line = line[1:]
		}
		lines = append(lines, line)
	}
	writeFile(t, strings.Join(lines, ""), work, configName)
	want, _, err := configured(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	got, c, err := configured(t, work)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(lines, ""))
	}
	got.Set, want.Set = nil, nil
	if !reflect.DeepEqual(got, want) || len(c.Sources) != len(SettingFlags(c.flags)) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// FuzzConfig has a file be anything: it is read or refused with its place, and
// what was read holds.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		"detail = \"low\"", "batch-size = 50\n[a]", "prompt = ['''a''', \"b\\u00e9\"]", "a.b = {c=1}", "\ufeffseed=0x10", "x = 1979-05-27T07:32:00Z",
		"memory = 1e3\ntop-p = inf", "keep-awake = false\ntimeout = \"5m\"", "model='~/x.gguf'", "\"\" = 1",
	} {
		f.Add([]byte(s))
	}
	_, work := alone(f)
	path := filepath.Join(work, configName)
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, c, err := configured(t, work)
		if err != nil {
			if !strings.HasPrefix(err.Error(), path+":") || ui.ExitCode(err) != ui.ExitUsage {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		entries, err := parseConfig(data)
		if err != nil || len(entries) != len(c.Sources) {
			t.Fatalf("%q: %+v, %v, but %+v", data, entries, err, c.Sources)
		}
		lines := bytes.Count(data, []byte("\n")) + 1
		for _, e := range entries {
			if e.line < 1 || e.line > lines || c.Sources[e.key].Place == "" {
				t.Fatalf("%q: %+v from %+v", data, e, c.Sources[e.key])
			}
		}
		// What holds can be written and read again.
		for _, e := range entries {
			text := e.key + " = " + valueText(valueOf(c.flags.Lookup(e.key)))
			if _, err := parseConfig([]byte(text)); err != nil {
				t.Fatalf("%q became %q: %v", data, text, err)
			}
		}
	})
}

// A file that is too large is refused as a whole: its beginning alone may mean
// something else.
func TestTooLarge(t *testing.T) {
	large := []byte(strings.Repeat("word\n", maxConfig/5+1))
	path := filepath.Join(t.TempDir(), "keywords.txt")
	if err := os.WriteFile(path, large, 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := readText(path); err == nil || text != "" || !strings.Contains(err.Error(), "larger than 1.0 MiB") {
		t.Errorf("%d bytes: %v", len(text), err)
	}
}
