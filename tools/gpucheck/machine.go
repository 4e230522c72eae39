package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v3/host"
	"github.com/shirou/gopsutil/v3/mem"

	"photodesc/internal/machine"
	"photodesc/internal/wording"
)

// machine reports the hardware and versions.
func (c *checker) machine(ctx context.Context) error {
	c.say("%d CPUs, %s", runtime.NumCPU(), cmp.Or(machine.CPUModel(), runtime.GOARCH))
	if memory, err := mem.VirtualMemory(); err == nil {
		c.say("%s of memory", humanize.IBytes(memory.Total))
	}
	if kernel, err := host.KernelVersion(); err == nil {
		c.say("kernel %s", kernel)
	}
	gpu, err := output(ctx, exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=name,memory.total,driver_version,compute_cap", "--format=csv,noheader"))
	if c.say("%s", gpu); err != nil {
		err = fmt.Errorf("nvidia-smi: %w", err)
	}
	version, versionErr := output(ctx, c.command(ctx, "photodesc", "version"))
	c.indent(version)
	return errors.Join(err, versionErr)
}

// library builds the CUDA library beside the program, unless it is there.
func (c *checker) library(ctx context.Context) error {
	library := filepath.Join(c.dir, "bin", "libggml-cuda.so")
	if _, err := os.Stat(library); err == nil {
		c.say("it is there already")
		return nil
	}
	nvcc := findNVCC()
	if nvcc == "" {
		return errors.New("nvcc is not installed: it comes with NVIDIA's CUDA toolkit, 11.6 or newer")
	}
	text, err := output(ctx, exec.CommandContext(ctx, nvcc, "--version"))
	if err != nil {
		return fmt.Errorf("nvcc: %w\n%s", err, text)
	}
	c.say("%s", wording.LastLines(text, 2))
	module, err := os.ReadFile(filepath.Join(c.dir, "module"))
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(c.out, "library.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	began := time.Now()
	cmd := exec.CommandContext(ctx, "make", fmt.Sprintf("-j%d", runtime.NumCPU()), "-f", "third_party/llama.cpp/gpu/gpu.mk",
		"MODULE="+strings.TrimSpace(string(module)), "CUDA_ARCH="+c.arch, "NVCC="+nvcc, "bin/libggml-cuda.so")
	cmd.Dir, cmd.Stdout, cmd.Stderr = c.dir, log, log
	endGroup(cmd)
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		return fmt.Errorf("make: %w\n%s", err, wording.LastLines(string(said), 12))
	}
	info, err := os.Stat(library)
	if err != nil {
		return err
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	c.say("built in %.0f s, %.0f s of CPU on %d cores; %d MB", time.Since(began).Seconds(), cpu.Seconds(), runtime.NumCPU(), info.Size()>>20)
	return nil
}

func findNVCC() string {
	for _, name := range []string{os.Getenv("NVCC"), "nvcc", "/usr/local/cuda/bin/nvcc"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// shapes returns the names of the models that are measured.
func (c *checker) shapes() []string {
	if c.quick {
		return []string{"tiny"}
	}
	return []string{"smolvlm-500m", "smolvlm-256m", "smolvlm-2.2b"}
}

func (c *checker) modelDir() string { return filepath.Join(c.work, "models") }

// models writes models with random weights.
func (c *checker) models(ctx context.Context) error {
	errs := make([]error, len(c.shapes()))
	var all sync.WaitGroup
	for i, shape := range c.shapes() {
		all.Go(func() {
			text, err := output(ctx, c.command(ctx, "mkmodel", "-o", c.modelDir(), shape))
			if err != nil {
				errs[i] = fmt.Errorf("%s: %w\n%s", shape, err, text)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// doctor runs `photodesc doctor`. It ignores the exit code: a program that is not compiled for this CPU is expected here.
func (c *checker) doctor(ctx context.Context) error {
	text, err := output(ctx, c.command(ctx, "photodesc", "doctor", "-C", c.work))
	c.indent(text)
	switch {
	case ctx.Err() != nil:
		return err
	case !regexp.MustCompile(`(?m)^OK +model `).MatchString(text):
		return errors.New("the built-in model did not work")
	case !strings.Contains(text, "CUDA from"):
		return errors.New("the GPU is not used")
	}
	return nil
}

// bench runs `photodesc bench` for each model.
func (c *checker) bench(ctx context.Context) error {
	var errs []error
	for _, shape := range c.shapes() {
		photos := "48"
		if c.quick {
			photos = "4"
		}
		cmd := c.command(ctx, "photodesc", append([]string{"bench", "--photos", photos}, c.modelFlags(shape)...)...)
		text, err := output(ctx, cmd)
		c.say("photodesc bench, %s:", shape)
		c.indent(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", shape, err))
		}
	}
	return errors.Join(errs...)
}

func (c *checker) modelFlags(shape string) []string {
	return []string{"--model", filepath.Join(c.modelDir(), shape+".gguf"), "--mmproj", filepath.Join(c.modelDir(), "mmproj-"+shape+".gguf")}
}
