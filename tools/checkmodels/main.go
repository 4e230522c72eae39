// Command checkmodels fetches models of the catalogue and has each describe pictures of which it is known what they show: 12
// that it draws, or a person's own. It prints a table and writes a report.
//
//	go run ./tools/checkmodels [-photodesc FILE] [-models NAMES] [-photos DIR] [-pictures N] [-report FILE] [-standins DIR]
//
// With -standins the files come from DIR, where mkmodel -published has put models without real weights, through a hub on this
// machine: everything but the words can be tried without a network.
//
// It fails if a model cannot be fetched, does not load or, unless it is a stand-in, describes no picture at all.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"photodesc/internal/models"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		if errors.Is(err, flag.ErrHelp) {
			os.Exit(2)
		}
		fmt.Fprintln(os.Stderr, "checkmodels:", err)
		os.Exit(1)
	}
}

// checker has each model describe the same pictures.
type checker struct {
	program  string
	dir      string // temporary
	photos   string
	expected map[string][]string
	list     string // a file with the names of the photos
	env      []string
	models   string // a folder for fetched models that goes with dir; empty: they are kept where a run keeps them
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("checkmodels", flag.ContinueOnError)
	program := flags.String("photodesc", "bin/photodesc", "the program")
	names := flags.String("models", "", "names with commas between them; all of the catalogue if there are none")
	photos := flags.String("photos", "", "a folder of one's own photos, with a file "+wordsName+" in it")
	report := flags.String("report", "models-report.json", "the report")
	most := flags.Int("pictures", 0, "describe only so many of the pictures; 0 is all")
	standins := flags.String("standins", "", "a folder with stand-ins for the models")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag; names of models go with -models", flags.Arg(0))
	}
	entries, err := chosen(*names)
	if err != nil {
		return err
	}
	if *program, err = filepath.Abs(*program); err != nil {
		return err
	}
	if _, err := os.Stat(*program); err != nil {
		return fmt.Errorf("%w\n  `make build` makes it", err)
	}
	dir, err := os.MkdirTemp("", "checkmodels-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	c := &checker{program: *program, dir: dir, photos: *photos, env: os.Environ()}
	if c.photos == "" {
		c.photos = filepath.Join(dir, "pictures")
		if err = os.Mkdir(c.photos, 0o755); err == nil {
			c.expected, err = drawAll(c.photos)
		}
	} else {
		c.expected, err = readWords(c.photos)
	}
	if err == nil {
		c.keep(*most)
		err = c.writeList()
	}
	if err != nil {
		return err
	}
	if *standins != "" {
		hub := localHub(*standins)
		defer hub.Close()
		c.models = filepath.Join(dir, "models") // they are no models to keep
		c.env = append(c.env, "HF_ENDPOINT="+hub.URL, "PHOTODESC_MODELS="+c.models, "HF_HUB_OFFLINE=", "HF_HOME="+dir, "LLAMA_CACHE="+dir)
	}
	var results []result
	for _, e := range entries {
		fmt.Fprintf(out, "%s …\n", e.Name)
		r := c.check(ctx, e)
		if ctx.Err() != nil {
			if len(results) == 0 {
				return errors.New("stopped before a model was checked")
			}
			fmt.Fprintln(out)
			return errors.Join(writeTable(out, results), fmt.Errorf("stopped; %s has what was finished", *report))
		}
		results = append(results, r)
		if err := writeReport(*report, results); err != nil { // after each: they take long
			return err
		}
	}
	fmt.Fprintln(out)
	if err := writeTable(out, results); err != nil {
		return err
	}
	return failure(results, *standins != "", *report)
}

// failure is an error if a model is of no use at all.
func failure(results []result, standins bool, report string) error {
	for _, r := range results {
		problem := ""
		switch {
		case !r.Fetched:
			problem = "could not be fetched"
		case !r.Loads:
			problem = "does not load"
		case r.Described == 0 && !standins:
			problem = "described no picture"
		default:
			continue
		}
		return fmt.Errorf("%s %s; %s has the whole", r.Model, problem, report)
	}
	return nil
}

// chosen are the models with the names; all that are fetched if there are no names.
func chosen(names string) (list []models.Entry, err error) {
	if names == "" {
		for _, e := range models.Catalogue {
			if e.Repo != "" {
				list = append(list, e)
			}
		}
		return list, nil
	}
	split := strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' })
	if len(split) == 0 {
		return nil, fmt.Errorf("%q names no model", names)
	}
	for _, name := range split {
		found := slices.ContainsFunc(list, func(e models.Entry) bool { return e.Name == name })
		if found {
			continue
		}
		for _, e := range models.Catalogue {
			if e.Name == name {
				list, found = append(list, e), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no model %q; there are %s", name, strings.Join(models.Names(), ", "))
		}
	}
	return list, nil
}

// check fetches a model and has it describe the pictures, one at a time, so that its memory is that of one.
func (c *checker) check(ctx context.Context, e models.Entry) result {
	r := result{Model: e.Name, Catalogue: e.Memory}
	if c.models != "" {
		defer os.RemoveAll(c.models)
	}
	if e.Repo != "" {
		if _, err := c.photodesc(ctx, nil, os.Stderr, "models", "pull", e.Name); err != nil {
			r.Error = err.Error()
			return r
		}
	}
	r.Fetched = true
	work := filepath.Join(c.dir, "work-"+e.Name)
	var events bytes.Buffer
	args := []string{"-C", work, "run", "--model", e.Name, "--workers", "1", "--parallel", "1", "--json", "--no-config", "--files-from", c.list, "-0", c.photos}
	code, err := c.photodesc(ctx, &events, io.Discard, args...)
	if err != nil && code != failedPhotos {
		r.Error = err.Error()
		return r
	}
	r.Loads = true
	r.Memory = uint64(e.Size()) + peak(events.Bytes())
	if err := r.read(work, c.expected); err != nil {
		r.Error = err.Error()
	}
	return r
}

// failedPhotos is the exit code of a run in which photos failed.
const failedPhotos = 3

// photodesc runs the program, which is asked to stop when ctx ends. What it says goes
// to said, too.
func (c *checker) photodesc(ctx context.Context, stdout, said io.Writer, args ...string) (code int, err error) {
	cmd := exec.CommandContext(ctx, c.program, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	var last bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, stdout, io.MultiWriter(&last, said)
	err = cmd.Run()
	if err == nil {
		return 0, nil
	}
	if cmd.ProcessState == nil { // it was not started
		return -1, err
	}
	return cmd.ProcessState.ExitCode(), errors.New(stderrTail(last.String(), err))
}

// stderrTail is the error that the program printed or, if it printed none, err and its last lines.
func stderrTail(said string, err error) string {
	const prefix = "photodesc: "
	said = "\n" + strings.TrimSpace(said)
	if i := strings.LastIndex(said, "\n"+prefix); i >= 0 {
		return said[i+1+len(prefix):]
	}
	lines := strings.Split(said, "\n")
	return err.Error() + ": " + strings.Join(lines[max(0, len(lines)-4):], "\n  ")
}

// keep forgets all but n pictures, the large one among them; 0 keeps all.
func (c *checker) keep(n int) {
	names := slices.Sorted(maps.Keys(c.expected))
	if n > 0 && n < len(names) {
		for _, name := range names[:len(names)-n] {
			delete(c.expected, name)
		}
	}
}

// writeList writes the names of the photos for --files-from.
func (c *checker) writeList() error {
	c.list = filepath.Join(c.dir, "photos.list")
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(c.expected)) {
		b.WriteString(name)
		b.WriteByte(0)
	}
	return os.WriteFile(c.list, b.Bytes(), 0o600)
}

// localHub answers as a mirror of the hub does, with stand-ins under the names of the catalogue.
func localHub(dir string) *httptest.Server {
	files := map[string]string{}
	for _, e := range models.Catalogue {
		files["/"+e.Repo+"/resolve/main/"+e.Text.File] = e.Name + ".gguf"
		files["/"+e.Repo+"/resolve/main/"+e.Vision.File] = "mmproj-" + e.Name + ".gguf"
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, known := files[r.URL.Path]
		if !known {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Etag", `"`+name+`"`)
		http.ServeFile(w, r, filepath.Join(dir, name))
	}))
}

func writeReport(path string, results []result) error {
	b, err := json.MarshalIndent(map[string]any{"models": results}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
