package worker

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// Environment adds to an environment what a worker's libraries must find set
// before they are loaded, where a person has not set it, and leaves out what
// changes how libvips and GLib behave: they would print on the worker's standard
// output, measure themselves, or end it at the first warning.
func Environment(env []string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		return strings.HasPrefix(entry, "VIPS_") || strings.HasPrefix(entry, "IM_") || strings.HasPrefix(entry, "G_")
	})
	for name, value := range map[string]string{
		// Between two products OpenBLAS's threads would spin on the cores that
		// ggml's threads want.
		"OPENBLAS_THREAD_TIMEOUT": "4",
		// OpenBLAS does not know CPUs younger than itself, and then takes them
		// for something with a fifth of their speed.
		"OPENBLAS_CORETYPE": BlasCore(),
		// glibc would give each thread an arena of its own, which grows for a
		// thousand pictures; llm says so too, but by then threads have theirs.
		"MALLOC_ARENA_MAX": "1",
		// Nor may each keep small pieces that it has freed: over thousands of
		// photos they pin the pages around them (docs/performance.md).
		"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
		// An assert in C would start a debugger to print a backtrace.
		"GGML_NO_BACKTRACE": "1",
	} {
		if _, set := os.LookupEnv(name); value != "" && !set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// BlasCore names the kernels that the CPU can run, by its features; empty
// where OpenBLAS's own choice is as good.
func BlasCore() string {
	switch {
	case os.Getenv("OPENBLAS_CORETYPE") != "":
		return "" // a person's choice stays
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512CD:
		return "SkylakeX"
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return "Haswell"
	}
	return ""
}

// BlasName is the library and its version, the first words of its configuration.
func BlasName(config string) string {
	words := strings.Fields(config)
	return strings.Join(words[:min(2, len(words))], " ")
}
