package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"photodesc/internal/bench"
)

// trial is one measurement.
type trial struct {
	shape, detail     string
	workers, parallel int
	photos            int
}

// trialList returns the most important trials first, since the time may end before all are done.
func (c *checker) trialList() []trial {
	if c.quick {
		return []trial{{"tiny", "auto", 1, 1, 4}, {"tiny", "auto", 1, 8, 16}, {"tiny", "low", 2, 4, 16}}
	}
	return []trial{
		{"smolvlm-500m", "auto", 1, 8, 128},
		{"smolvlm-500m", "auto", 1, 32, 256},
		{"smolvlm-500m", "auto", 4, 16, 256},
		{"smolvlm-2.2b", "auto", 1, 32, 128},
		{"smolvlm-256m", "auto", 1, 32, 256},
		{"smolvlm-500m", "low", 1, 32, 384},
		{"smolvlm-500m", "auto", 1, 1, 24},
		{"smolvlm-500m", "auto", 2, 16, 256},
		{"smolvlm-500m", "high", 1, 32, 96},
		{"smolvlm-2.2b", "auto", 1, 8, 64},
		{"smolvlm-256m", "auto", 4, 16, 256},
		{"smolvlm-500m", "auto", 4, 32, 512},
		{"smolvlm-500m", "auto", 1, 64, 256},
		{"smolvlm-500m", "low", 4, 16, 512},
		{"smolvlm-2.2b", "auto", 2, 16, 128},
		{"smolvlm-500m", "auto", 1, 16, 192},
		{"smolvlm-256m", "auto", 1, 8, 128},
		{"smolvlm-256m", "auto", 1, 1, 24},
		{"smolvlm-2.2b", "auto", 1, 1, 24},
	}
}

// figures are the results of a trial, a line of trials.jsonl.
type figures struct {
	Shape      string  `json:"shape"`
	Detail     string  `json:"detail"`
	Workers    int     `json:"workers"`
	Parallel   int     `json:"parallel"` // slots of each worker
	Photos     int     `json:"photos"`
	Tiles      float64 `json:"tiles"`         // for each photo
	Prompt     float64 `json:"prompt_tokens"` // for each photo
	PhotosHour float64 `json:"photos_per_hour"`
	TileMS     float64 `json:"encode_ms_per_tile"`
	Prefill    float64 `json:"prefill_tokens_per_second"`  // of all workers together
	Generate   float64 `json:"generate_tokens_per_second"` // likewise
	// Shares of a worker's time. In the rest it waits for photos or is not ready yet.
	EncodeShare   float64  `json:"encode_share"`
	PrefillShare  float64  `json:"prefill_share"`
	GenerateShare float64  `json:"generate_share"`
	DecodeMS      float64  `json:"decode_ms"`         // for each photo, wall time
	CPU           float64  `json:"cpu_cores"`         // busy cores, from starting the program to its end
	CPUPhoto      float64  `json:"cpu_s_per_photo"`   // likewise, including the start
	GPU           float64  `json:"gpu_busy_percent"`  // while photos were described, from nvidia-smi
	GPUMemory     int      `json:"gpu_memory_mib"`    // the maximum
	Start         float64  `json:"start_seconds"`     // until the first worker is ready
	Deaths        []string `json:"deaths,omitempty"`  // of workers
	Failed        int      `json:"failed,omitempty"`  // photos
	Problem       string   `json:"problem,omitempty"` // why nothing was measured
}

// trials measures models with random weights, 64 tokens for each photo.
func (c *checker) trials(ctx context.Context) error {
	list := c.trialList()
	most := 0
	for _, t := range list {
		most = max(most, t.photos)
	}
	if _, err := c.photos(most); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(c.out, "trials.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	c.say("%-13s %-5s %5s %5s %6s | %8s %8s %9s %9s | %4s %4s %4s | %7s %5s %5s %6s %6s", "shape", "tiles", "works", "slots", "photos",
		"photos/h", "ms/tile", "prefill/s", "gen/s", "enc%", "pre%", "gen%", "dec ms", "cores", "GPU%", "GPUMiB", "start")
	var problems []error
	for i, t := range list {
		if ctx.Err() != nil {
			c.say("%d trials not done, the time is up", len(list)-i)
			break
		}
		// A trial that hangs must not use up the time of the others.
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		fig, err := c.measure(limited, t)
		cancel()
		if err != nil && ctx.Err() == nil {
			fig.Problem = err.Error()
			problems = append(problems, fmt.Errorf("%s, %s, %d workers of %d photos: %w", t.shape, t.detail, t.workers, t.parallel, err))
		}
		c.say("%s", fig.row())
		if line, err := json.Marshal(fig); err == nil {
			fmt.Fprintf(f, "%s\n", line)
		}
	}
	return errors.Join(problems...)
}

// measure runs one trial.
func (c *checker) measure(ctx context.Context, t trial) (figures, error) {
	fig := figures{Shape: t.shape, Detail: t.detail, Workers: t.workers, Parallel: t.parallel, Photos: t.photos}
	photos, err := c.photos(t.photos)
	if err != nil {
		return fig, err
	}
	s := startSampler(ctx)
	began := time.Now()
	r, err := c.describe(ctx, photos, nil, append([]string{
		"--detail", t.detail, "--max-tokens", "64", "--exact-tokens", "--batch-size", strconv.Itoa(t.photos), "--cooldown", "0s",
		"--workers", strconv.Itoa(t.workers), "--parallel", strconv.Itoa(t.parallel),
	}, c.modelFlags(t.shape)...)...)
	took := time.Since(began).Seconds()
	samples := s.stop()
	if err != nil {
		return fig, err
	}
	n, workers := float64(r.photos), float64(r.workers)
	fig.Workers, fig.Parallel, fig.Photos = r.workers, r.slots/max(r.workers, 1), r.photos
	fig.Deaths, fig.Failed = r.deaths, r.failed
	fig.Tiles, fig.Prompt = float64(r.tiles)/n, float64(r.promptTokens)/n
	fig.PhotosHour = 3600 * n / r.took()
	fig.TileMS = 1000 * r.encode / float64(max(r.tiles, 1))
	fig.Prefill = workers * float64(r.promptTokens) / max(r.prompt, 1e-6)
	fig.Generate = workers * float64(r.tokens) / max(r.generate, 1e-6)
	whole := r.took() * workers
	fig.EncodeShare, fig.PrefillShare, fig.GenerateShare = r.encode/whole, r.prompt/whole, r.generate/whole
	fig.DecodeMS = 1000 * r.decode / n
	fig.CPU, fig.CPUPhoto = r.cpu/took, r.cpu/n
	fig.GPU, fig.GPUMemory = samples.between(r.ready, r.last)
	fig.Start = r.start
	if !r.gpu {
		return fig, errors.New("the GPU was not used")
	}
	return fig, nil
}

func (f figures) row() string {
	head := fmt.Sprintf("%-13s %-5.3g %5d %5d %6d | ", f.Shape, f.Tiles, f.Workers, f.Parallel, f.Photos)
	if f.PhotosHour == 0 {
		return head + "nothing: " + f.Problem
	}
	text := head + fmt.Sprintf("%8.0f %8.2f %9.0f %9.0f | %4.0f %4.0f %4.0f | %7.1f %5.1f %5.0f %6d %6.1f", f.PhotosHour, f.TileMS, f.Prefill, f.Generate,
		100*f.EncodeShare, 100*f.PrefillShare, 100*f.GenerateShare, f.DecodeMS, f.CPU, f.GPU, f.GPUMemory, f.Start)
	if f.Failed > 0 || len(f.Deaths) > 0 {
		text += fmt.Sprintf("\n    %d photos failed; %s", f.Failed, strings.Join(f.Deaths, "; "))
	}
	return text
}

// photos returns a folder of count generated photos of 1024×768. Each is generated once; the folders have hard links to it.
func (c *checker) photos(count int) (string, error) {
	drawn := filepath.Join(c.work, "drawn")
	folder := filepath.Join(c.work, fmt.Sprintf("photos-%d", count))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := errors.Join(os.MkdirAll(drawn, 0o777), os.MkdirAll(folder, 0o777)); err != nil {
		return "", err
	}
	errs := make([]error, count)
	turn := make(chan bool, runtime.NumCPU())
	var all sync.WaitGroup
	for i := range count {
		name := fmt.Sprintf("photo-%04d.jpg", i)
		turn <- true
		all.Go(func() {
			defer func() { <-turn }()
			path := filepath.Join(drawn, name)
			if _, err := os.Stat(path); err != nil {
				jpeg, err := bench.Photo(uint64(i), 1024, 768)
				if errs[i] = errors.Join(err, os.WriteFile(path, jpeg, 0o666)); errs[i] != nil {
					return
				}
			}
			errs[i] = os.Link(path, filepath.Join(folder, name))
		})
	}
	all.Wait()
	return folder, errors.Join(errs...)
}

// sampler records the load and the memory of the GPUs several times a second, from nvidia-smi.
type sampler struct {
	cancel  context.CancelFunc
	done    chan bool
	samples samples
}

type samples []sample

type sample struct {
	at     time.Time
	busy   float64 // percent of the time in which a kernel ran
	memory int     // MiB in use
}

func startSampler(ctx context.Context) *sampler {
	ctx, cancel := context.WithCancel(ctx)
	s := &sampler{cancel: cancel, done: make(chan bool)}
	cmd := exec.CommandContext(ctx, "nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "-lms", "200")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		close(s.done)
		return s
	}
	go func() {
		defer close(s.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var one sample
			if _, err := fmt.Sscanf(lines.Text(), "%f, %d", &one.busy, &one.memory); err == nil {
				one.at = time.Now()
				s.samples = append(s.samples, one)
			}
		}
		cmd.Wait()
	}()
	return s
}

func (s *sampler) stop() samples {
	s.cancel()
	<-s.done
	return s.samples
}

// between returns the mean share of busy time, in percent, and the maximum of memory, in MiB.
func (s samples) between(from, to time.Time) (busy float64, memory int) {
	n := 0
	for _, one := range s {
		if one.at.Before(from) || one.at.After(to) {
			continue
		}
		n++
		busy += one.busy
		memory = max(memory, one.memory)
	}
	return busy / float64(max(n, 1)), memory
}
