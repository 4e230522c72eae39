package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/spf13/cobra"

	"photodesc/internal/config"
	"photodesc/internal/machine"
	"photodesc/internal/photo/vips"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/llm/kernels"
	llamacpp "photodesc/third_party/llama.cpp"
)

func doctorCommand(g *global) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine end to end and say what is wrong and what to do",
		Long:  doctorHelp,
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			w, list := c.OutOrStdout(), checks(g.dir)
			if !asJSON {
				return examine(list, func(f findingJSON) { f.write(w) })
			}
			out := doctorJSON{}
			err := examine(list, func(f findingJSON) { out.Checks = append(out.Checks, f) })
			out.OK = err == nil
			if failed := ui.WriteJSON(w, out); failed != nil {
				return failed
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "for programs: one JSON object")
	return c
}

// doctorJSON is `photodesc doctor --json`.
type doctorJSON struct {
	OK     bool          `json:"ok"` // nothing is bad
	Checks []findingJSON `json:"checks"`
}

// findingJSON is what came of a check.
type findingJSON struct {
	Name    string   `json:"name"`
	Result  string   `json:"result"` // "ok", "note" or "bad"
	Finding string   `json:"finding"`
	More    []string `json:"more,omitempty"` // further lines; of what is bad, what to do
}

var resultWords = map[string]string{"ok": "OK", "note": "note", "bad": "BAD"}

func (f findingJSON) write(w io.Writer) {
	const indent = 23
	width := ui.TerminalWidth(w)
	if width > 0 {
		width = max(width-indent, 20)
	}
	lines := []string{}
	for _, line := range append([]string{f.Finding}, f.More...) {
		lines = append(lines, strings.Split(ui.Wrap(line, width, "  "), "\n")...)
	}
	fmt.Fprintf(w, "%-5s %-16s %s\n", resultWords[f.Result], f.Name, lines[0])
	for _, line := range lines[1:] {
		fmt.Fprintf(w, "%22s %s\n", "", line)
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
		{"llama.cpp", checkLlama},
		{"CPU features", checkCPU},
		{"BLAS", checkBLAS},
		{"GPU device", checkGPU},
		{"libvips formats", checkFormats},
		{"model", func() (string, error) { return checkModel(modelPatience) }},
		{"model of a run", func() (string, error) { return checkRunModel(dir) }},
		{"disk", func() (string, error) { return checkDisk(dir) }},
		{"memory", checkMemory},
		{"workers, threads", checkThreads},
		{"sleep guard", checkAwake},
	}
}

// examine makes the checks and hands each finding on as it comes.
func examine(list []check, found func(findingJSON)) error {
	bad := 0
	for _, c := range list {
		text, err := c.run()
		f := findingJSON{Name: c.name, Result: "ok"}
		var n note
		switch {
		case errors.As(err, &n):
			f.Result, text = "note", n.text
		case err != nil:
			f.Result, text = "bad", err.Error()
			bad++
		}
		first, more, _ := strings.Cut(text, "\n")
		f.Finding = first
		for line := range strings.Lines(more) {
			f.More = append(f.More, strings.TrimSpace(line))
		}
		found(f)
	}
	if bad > 0 {
		return fmt.Errorf("%s of %d checks failed", ui.Comma(bad), len(list))
	}
	return nil
}

// checkLlama says which llama.cpp is in use.
func checkLlama() (string, error) {
	if err := llamacpp.Check(); err != nil {
		return "", err
	}
	switch llamacpp.Linked() {
	case "system":
		return llamacpp.Commit() + ", the system's", nil
	case "tree":
		return llamacpp.Commit() + ", compiled from a source tree, part of the program", nil
	}
	return llamacpp.Commit() + ", part of the program", nil
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
	return fmt.Sprintf("%s, compiled for this CPU: %s", coresText("core", runtime.NumCPU(), machine.CPUs()), strings.Join(compiled, " ")), nil
}

func checkBLAS() (string, error) {
	if name := kernels.Name(); name != "" {
		return "not needed; photodesc's own kernels for " + name, nil
	}
	if llamacpp.System {
		return "not needed; llama.cpp has kernels of its own", nil
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

// A result line has about a kilobyte; a million photos want one GB.
const diskWanted = 1 << 30

func checkDisk(dir string) (string, error) {
	dir = nearestFolder(dir) // a run makes the workdir
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
	total, where, err := machine.TotalMemory()
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
