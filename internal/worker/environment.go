package worker

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// Environment returns env with the variables that a worker's libraries read when
// they are loaded, unless the user has set them. It removes the variables of
// libvips and GLib, with which these would print on the worker's standard output,
// collect profiles, or abort at the first warning.
func Environment(env []string) []string {
	env = slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		return strings.HasPrefix(entry, "VIPS_") || strings.HasPrefix(entry, "IM_") || strings.HasPrefix(entry, "G_")
	})
	for name, value := range map[string]string{
		// OpenBLAS's threads would otherwise spin between two products on the cores
		// that ggml's threads need.
		"OPENBLAS_THREAD_TIMEOUT": "4",
		// OpenBLAS does not recognise CPUs newer than itself and then uses generic
		// kernels with a fifth of the speed.
		"OPENBLAS_CORETYPE": BlasCore(),
		// glibc would give each thread an arena of its own, each of which grows over
		// a thousand pictures. llm sets this, too, but some threads exist by then.
		"MALLOC_ARENA_MAX": "1",
		// Small blocks that threads have freed and cached would keep the pages around
		// them in use over thousands of photos (docs/performance.md).
		"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
		// A failed assertion in ggml would start a debugger to print a backtrace.
		"GGML_NO_BACKTRACE": "1",
	} {
		if _, set := os.LookupEnv(name); value != "" && !set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// BlasCore returns OpenBLAS's name of the kernels that fit the CPU's features, or
// "" if OpenBLAS should choose.
func BlasCore() string {
	switch {
	case os.Getenv("OPENBLAS_CORETYPE") != "":
		return "" // the user's choice
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512CD:
		return "SkylakeX"
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return "Haswell"
	}
	return ""
}

// BlasName returns the library and its version: the first words of its configuration.
func BlasName(config string) string {
	words := strings.Fields(config)
	return strings.Join(words[:min(2, len(words))], " ")
}
