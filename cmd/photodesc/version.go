package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/cpu"

	"photodesc/internal/photo/vips"
	"photodesc/internal/worker"
	"photodesc/llm"
	"photodesc/llm/kernels"
	llamacpp "photodesc/third_party/llama.cpp"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Versions, and the CPU features compiled in and present",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			w := c.OutOrStdout()
			compiled := compiledFor(llamacpp.SystemInfo())
			fmt.Fprintf(w, "photodesc  %s (%s, %s/%s)\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			fmt.Fprintf(w, "llama.cpp  %s\n", llamacpp.Commit())
			fmt.Fprintf(w, "libvips    %s\n", vips.Version())
			if config, core := llamacpp.BLAS(); config != "" {
				fmt.Fprintf(w, "BLAS       %s\n", worker.BlasName(config)+", kernels for "+core+" here"+wishedCore(core))
			}
			if name := kernels.Name(); name != "" {
				fmt.Fprintf(w, "kernels    photodesc's own for %s; the BLAS is not used\n", name)
			}
			for _, b := range llm.Backends() {
				fmt.Fprintf(w, "GPU        %s\n", b)
			}
			fmt.Fprintf(w, "compiled   %s\n", strings.Join(compiled, " "))
			if has := cpuFeatures(); len(has) > 0 {
				fmt.Fprintf(w, "this CPU   %s\n", strings.Join(has, " "))
			}
			if hint := slowBuild(compiled); hint != "" {
				fmt.Fprintf(w, "\n%s\n", hint)
			}
			return nil
		},
	}
}

func wishedCore(core string) string {
	if want := worker.BlasCore(); want != "" && !strings.EqualFold(want, core) {
		return ", workers use " + want
	}
	return ""
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
	if runtime.GOARCH != "amd64" {
		return ""
	}
	for _, f := range []string{"AVX2", "FMA", "AVX512"} {
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
