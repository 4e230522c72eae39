package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/cpu"

	"photodesc/internal/photo/vips"
	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/llm"
	"photodesc/llm/kernels"
	llamacpp "photodesc/third_party/llama.cpp"
)

// versionJSON is `photodesc version --json`.
type versionJSON struct {
	Version  string        `json:"version"`
	Go       string        `json:"go"`
	OS       string        `json:"os"`
	Arch     string        `json:"arch"`
	Llama    string        `json:"llama_cpp"` // commit; of the system's, its version
	Linked   string        `json:"linked"`    // "module": llama.cpp is part of the program; "tree": so it is, from a source tree; "system": the system's is used
	Vips     string        `json:"libvips"`
	BLAS     *blasJSON     `json:"blas,omitempty"`
	Kernels  string        `json:"kernels,omitempty"` // photodesc's own; BLAS is not used
	Backends []backendJSON `json:"backends"`          // libraries for GPUs
	Compiled []string      `json:"compiled"`          // CPU features
	CPU      []string      `json:"cpu"`               // features of this one that matter
	Slow     bool          `json:"slow_build"`        // compiled without features that this CPU has
}

type blasJSON struct {
	Name    string `json:"name"`
	Core    string `json:"core"`              // kernels for it are used here
	Workers string `json:"workers,omitempty"` // workers use those for this one instead
}

type backendJSON struct {
	Path    string `json:"path"`
	Name    string `json:"name,omitempty"`
	Problem string `json:"problem,omitempty"` // why it is not used
}

func findVersion() versionJSON {
	v := versionJSON{
		Version: version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Llama: llamacpp.Commit(), Linked: llamacpp.Linked(), Vips: vips.Version(), Kernels: kernels.Name(),
		Compiled: compiledFor(llamacpp.SystemInfo()), CPU: cpuFeatures(), Backends: []backendJSON{},
	}
	if config, core := llamacpp.BLAS(); config != "" {
		v.BLAS = &blasJSON{Name: worker.BlasName(config), Core: core}
		if want := worker.BlasCore(); want != "" && !strings.EqualFold(want, core) {
			v.BLAS.Workers = want
		}
	}
	for _, b := range llm.Backends() {
		v.Backends = append(v.Backends, backendJSON{b.Path, b.Name, b.Problem})
	}
	v.Slow = slowBuild(v.Compiled) != ""
	return v
}

func versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Versions, and the CPU features compiled in and present",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			v := findVersion()
			if asJSON {
				return ui.WriteJSON(c.OutOrStdout(), v)
			}
			v.write(c.OutOrStdout())
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "for programs: one JSON object")
	return c
}

// write prints it for people.
func (v versionJSON) write(w io.Writer) {
	fmt.Fprintf(w, "photodesc  %s (%s, %s/%s)\n", v.Version, v.Go, v.OS, v.Arch)
	switch v.Linked {
	case "system":
		fmt.Fprintf(w, "llama.cpp  %s, the system's, with kernels of its own\n", v.Llama)
	case "tree":
		fmt.Fprintf(w, "llama.cpp  %s, compiled from a source tree, with kernels of its own\n", v.Llama)
	default:
		fmt.Fprintf(w, "llama.cpp  %s\n", v.Llama)
	}
	fmt.Fprintf(w, "libvips    %s\n", v.Vips)
	if b := v.BLAS; b != nil {
		workers := ""
		if b.Workers != "" {
			workers = ", workers use " + b.Workers
		}
		fmt.Fprintf(w, "BLAS       %s, kernels for %s here%s\n", b.Name, b.Core, workers)
	}
	if v.Kernels != "" {
		fmt.Fprintf(w, "kernels    photodesc's own for %s; the BLAS is not used\n", v.Kernels)
	}
	for _, b := range llm.Backends() {
		fmt.Fprintf(w, "GPU        %s\n", b)
	}
	fmt.Fprintf(w, "compiled   %s\n", strings.Join(v.Compiled, " "))
	if len(v.CPU) > 0 {
		fmt.Fprintf(w, "this CPU   %s\n", strings.Join(v.CPU, " "))
	}
	if hint := slowBuild(v.Compiled); hint != "" {
		fmt.Fprintf(w, "\n%s\n", hint)
	}
}

// x86Features are those that make a difference to the speed of a model.
var x86Features = []struct {
	name string
	has  bool
}{
	{"SSE3", cpu.X86.HasSSE3}, {"SSSE3", cpu.X86.HasSSSE3}, {"AVX", cpu.X86.HasAVX}, {"AVX2", cpu.X86.HasAVX2},
	{"FMA", cpu.X86.HasFMA}, {"BMI2", cpu.X86.HasBMI2}, {"AVX512", cpu.X86.HasAVX512F},
	{"AVX512_VBMI", cpu.X86.HasAVX512VBMI}, {"AVX512_VNNI", cpu.X86.HasAVX512VNNI}, {"AVX512_BF16", cpu.X86.HasAVX512BF16},
}

func cpuFeatures() (names []string) {
	for _, f := range x86Features {
		if f.has {
			names = append(names, f.name)
		}
	}
	return names
}

// slowBuild notices a binary that was compiled for a much older CPU than this
// one: it works, several times slower.
func slowBuild(compiled []string) string {
	if runtime.GOARCH != "amd64" || llamacpp.System { // a system's ggml chooses when it starts
		return ""
	}
	matters := []string{"AVX2", "FMA"}
	if kernels.Name() == "" { // ours are chosen when the program starts, whatever it was compiled for
		matters = append(matters, "AVX512")
	}
	for _, f := range matters {
		if slices.Contains(cpuFeatures(), f) && !slices.Contains(compiled, f) {
			return "This binary was compiled without " + f + ", which this CPU has, and is slower for it.\n" +
				"Build it with `make build` on this machine; a plain `go build` leaves the fast code out."
		}
	}
	return ""
}

// compiledFor says which CPU features ggml was compiled with, from llama.cpp's
// own list ("AVX2 = 1 | …").
func compiledFor(systemInfo string) []string {
	var names []string
	for _, part := range strings.Split(systemInfo, "|") {
		_, part, _ = cutLast(part, ":")
		if name, value, ok := strings.Cut(strings.TrimSpace(part), "="); ok && strings.TrimSpace(value) == "1" {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}
