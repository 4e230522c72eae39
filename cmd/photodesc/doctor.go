package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"photodesc/internal/machine"
	"photodesc/internal/wording"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/spf13/cobra"

	"photodesc/internal/config"
	"photodesc/internal/photo/vips"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/llm/kernels"
	llamacpp "photodesc/third_party/llama.cpp"
	"photodesc/tracker"
)

func doctorCommand(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine end to end and say what is wrong and what to do",
		Long:  doctorHelp,
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			return examine(c.OutOrStdout(), checks(g.dir))
		},
	}
}

// check is one line of the doctor's. It returns what it found; a finding that
// begins a new line says what to do about it.
type check struct {
	name string
	run  func() (finding string, err error)
}

// note is an error that keeps nobody from working.
type note struct{ text string }

func (n note) Error() string { return n.text }

func checks(dir string) []check {
	return []check{
		{"CPU features", checkCPU},
		{"BLAS", checkBLAS},
		{"GPU device", checkGPU},
		{"libvips formats", checkFormats},
		{"model", func() (string, error) { return checkModel(modelPatience) }},
		{"disk", func() (string, error) { return checkDisk(dir) }},
		{"memory", checkMemory},
		{"workers, threads", checkThreads},
		{"sleep guard", checkAwake},
	}
}

func examine(w io.Writer, list []check) error {
	bad := 0
	for _, c := range list {
		finding, err := c.run()
		word := "OK"
		var n note
		switch {
		case errors.As(err, &n):
			word, finding = "note", n.text
		case err != nil:
			word, finding = "BAD", err.Error()
			bad++
		}
		first, more, _ := strings.Cut(finding, "\n")
		fmt.Fprintf(w, "%-5s %-16s %s\n", word, c.name, first)
		for line := range strings.Lines(more) {
			fmt.Fprintf(w, "%22s %s\n", "", strings.TrimSpace(line))
		}
	}
	if bad > 0 {
		return fmt.Errorf("%s of %d checks failed", ui.Comma(bad), len(list))
	}
	return nil
}

func checkCPU() (string, error) {
	compiled := compiledFor(llamacpp.SystemInfo())
	if hint := slowBuild(compiled); hint != "" {
		return "", errors.New(hint)
	}
	// Features that make the largest difference, not all that llama.cpp lists.
	if i := slices.Index(compiled, "LLAMAFILE"); i >= 0 {
		compiled = slices.Delete(compiled, i, i+1)
	}
	return fmt.Sprintf("%s, compiled for this CPU: %s", ui.Plural(runtime.NumCPU(), "core"), strings.Join(compiled, " ")), nil
}

func checkBLAS() (string, error) {
	if name := kernels.Name(); name != "" {
		return "not needed; photodesc's own kernels for " + name, nil
	}
	config, core := llamacpp.BLAS()
	if config == "" {
		return "the system's own", nil
	}
	if want := worker.BlasCore(); want != "" {
		core = want
	}
	return fmt.Sprintf("%s, kernels for %s", worker.BlasName(config), core), nil
}

func checkFormats() (string, error) {
	if err := vips.Startup(vips.StartupOptions{}); err != nil {
		return "", fmt.Errorf("%w\nreinstall libvips", err)
	}
	byState := map[vips.Support][]string{}
	for _, f := range vips.Formats() {
		byState[f.Support] = append(byState[f.Support], f.Name)
	}
	text := fmt.Sprintf("libvips %s: %s", vips.Version(), strings.Join(byState[vips.Yes], " "))
	if blocked := byState[vips.Blocked]; len(blocked) > 0 {
		text += "\nnot safe against hostile files, only with --untrusted-loaders: " + strings.Join(blocked, " ")
	}
	if missing := byState[vips.Missing]; len(missing) > 0 {
		text += "\nnot in this libvips: " + strings.Join(missing, " ")
	}
	if !slices.Contains(byState[vips.Yes], "jpeg") {
		return "", errors.New("this libvips cannot load JPEG\ninstall libvips with its usual loaders")
	}
	return text, nil
}

// modelPatience is how long describing the test picture may take.
const modelPatience = 3 * time.Minute

// checkModel has the real program describe a picture it knows, with the
// built-in model, and looks whether the words are right.
func checkModel(patience time.Duration) (string, error) {
	tmp, err := os.MkdirTemp("", "photodesc-doctor-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	photos, work := filepath.Join(tmp, "photos"), filepath.Join(tmp, "work")
	if err := errors.Join(os.Mkdir(photos, 0o700), os.Mkdir(work, 0o700)); err != nil {
		return "", err
	}
	if err := writeTestPicture(filepath.Join(photos, "picture.png")); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := worker.ContextCommand(limited, exec.Command(self, "-C", work, "run", "--no-config", "--model", "builtin", photos))
	cmd.Args[0] = "photodesc"
	cmd.WaitDelay = time.Second // its workers have its output open and end after it
	if out, err := cmd.CombinedOutput(); limited.Err() != nil {
		return "", fmt.Errorf("a test picture was not described within %s, which takes seconds\n"+
			"the machine is very busy, or a driver or a disk hangs\n%s", ui.Spell(patience), wording.LastLines(string(out), 5))
	} else if err != nil {
		return "", fmt.Errorf("describing a test picture failed: %w\n%s", err, wording.LastLines(string(out), 5))
	}
	rec, err := onlyRecord(work)
	if err != nil {
		return "", err
	}
	text := strings.ToLower(rec.Description)
	for _, word := range testPictureWords {
		if !strings.Contains(text, word) {
			return "", fmt.Errorf("the built-in model describes a red circle on white as %q\n"+
				"the arithmetic of this machine or its compute device is not to be trusted: update the driver, or build without it", rec.Description)
		}
	}
	return fmt.Sprintf("%q in %.1f s: right", rec.Description, rec.Seconds.Total), nil
}

var testPictureWords = []string{"red", "circle", "white"}

// writeTestPicture draws a red circle in the middle of a white page.
func writeTestPicture(path string) error {
	const w, h, r = 320, 240, 70
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	const fine = 4 // each pixel is the average of fine×fine points
	for y := range h {
		for x := range w {
			inside := 0
			for i := range fine * fine {
				dx := float64(x) + (float64(i%fine)+0.5)/fine - w/2
				dy := float64(y) + (float64(i/fine)+0.5)/fine - h/2
				if dx*dx+dy*dy < r*r {
					inside++
				}
			}
			v := uint8(255 - 255*inside/(fine*fine))
			img.Set(x, y, color.RGBA{uint8(255 - 35*inside/(fine*fine)), v, v, 255})
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}

// onlyRecord reads the one result of a workdir.
func onlyRecord(work string) (rec tracker.Record, err error) {
	files, err := filepath.Glob(filepath.Join(work, tracker.OutputsName, "*.jsonl"))
	if err != nil || len(files) != 1 {
		return rec, fmt.Errorf("the test run left %d result files, want 1", len(files))
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		return rec, err
	}
	return rec, json.Unmarshal(b, &rec)
}

// A result line has about a kilobyte; a million photos want one GB.
const diskWanted = 1 << 30

func checkDisk(dir string) (string, error) {
	// A run makes the workdir; what counts is the folder it will lie in.
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
	}
	probe, err := os.CreateTemp(dir, ".photodesc-doctor-*")
	if err != nil {
		return "", fmt.Errorf("the workdir cannot be written: %w\nchoose another with -C", err)
	}
	probe.Close()
	os.Remove(probe.Name())
	u, err := disk.Usage(dir)
	if err != nil {
		return "", err
	}
	text := humanize.IBytes(u.Free) + " free for the workdir"
	if u.Free < diskWanted {
		return "", note{text + "; a million descriptions take about 1 GiB"}
	}
	return text, nil
}

func checkMemory() (string, error) {
	total, where, err := machine.MachineMemory()
	if err != nil {
		return "", err
	}
	budget, err := machine.ParseMemory(config.DefaultMemory, total)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("%s of %s, a run uses up to %s (%s) unless told otherwise", humanize.IBytes(total), where, humanize.IBytes(budget), config.DefaultMemory)
	if budget < 1500<<20 {
		return "", note{text + "; SmolVLM 256M fits, larger models may not"}
	}
	return text, nil
}
