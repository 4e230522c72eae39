// Command checkmodels fetches models of the catalogue and has each describe pictures of which it is known what they show: 12
// that it draws, or a person's own. It prints a table and writes a report.
//
//	go run ./tools/checkmodels [-photodesc FILE] [-models NAMES] [-photos DIR] [-report FILE] [-standins DIR]
//
// With -standins the files come from DIR, where mkmodel -published has put models without real weights, through a hub on this
// machine: everything but the words can be tried without a network.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"photodesc/internal/models"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
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
	env      []string
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("checkmodels", flag.ContinueOnError)
	program := flags.String("photodesc", "bin/photodesc", "the program")
	names := flags.String("models", "", "names with commas between them; all of the catalogue if there are none")
	photos := flags.String("photos", "", "a folder of one's own photos, with a file "+wordsName+" in it")
	report := flags.String("report", "models-report.json", "the report")
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
	if err != nil {
		return err
	}
	if *standins != "" {
		hub := localHub(*standins)
		defer hub.Close()
		c.env = append(c.env, "HF_ENDPOINT="+hub.URL, "PHOTODESC_MODELS="+filepath.Join(dir, "models"), "HF_HUB_OFFLINE=", "HF_HOME="+dir, "LLAMA_CACHE="+dir)
	}
	var results []result
	for _, e := range entries {
		fmt.Fprintf(out, "%s …\n", e.Name)
		r := c.check(e)
		results = append(results, r)
		if err := writeReport(*report, results); err != nil { // after each: they take long
			return err
		}
	}
	fmt.Fprintln(out)
	if err := writeTable(out, results); err != nil {
		return err
	}
	for _, r := range results {
		if !r.Loads {
			return fmt.Errorf("%s does not load; %s has the whole", r.Model, *report)
		}
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
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' }) {
		found := false
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
func (c *checker) check(e models.Entry) result {
	r := result{Model: e.Name, Catalogue: e.Memory}
	if _, err := c.photodesc(nil, "models", "pull", e.Name); err != nil {
		r.Error = err.Error()
		return r
	}
	work := filepath.Join(c.dir, "work-"+e.Name)
	var events bytes.Buffer
	code, err := c.photodesc(&events, "-C", work, "run", "--model", e.Name, "--workers", "1", "--parallel", "1", "--json", "--no-config", "--exclude", wordsName, c.photos)
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

// photodesc runs the program. An error has the last lines that it said.
func (c *checker) photodesc(stdout io.Writer, args ...string) (code int, err error) {
	cmd := exec.Command(c.program, args...)
	var said bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = c.env, stdout, &said
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return cmd.ProcessState.ExitCode(), fmt.Errorf("%w: %s", err, strings.Join(lines[max(0, len(lines)-4):], "\n  "))
	}
	return 0, nil
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
