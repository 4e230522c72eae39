package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"photodesc/internal/bench"
	"photodesc/internal/fsutil"
	"photodesc/internal/machine"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/pool"

	"github.com/dustin/go-humanize"
)

// SweepReport is what runs with different numbers of workers and threads gave.
type SweepReport struct {
	Version string     `json:"version"`
	Model   string     `json:"model"`
	Detail  string     `json:"detail"`
	CPU     string     `json:"cpu"`
	Cores   int        `json:"cores"`
	Photos  int        `json:"photos"` // of each run
	Rounds  int        `json:"rounds"`
	Shapes  []SweepRow `json:"shapes"`
	Best    int        `json:"best"` // index in Shapes
}

// SweepRow is one number of workers and of threads, the median of its rounds.
type SweepRow struct {
	Workers    int     `json:"workers"`
	Threads    int     `json:"threads"`  // of each worker
	Parallel   int     `json:"parallel"` // photos together in each worker
	PhotosHour float64 `json:"photos_per_hour"`
	Memory     uint64  `json:"memory_bytes"` // that workers had together, beside the weights, at most
	Skipped    bool    `json:"skipped,omitempty"`
}

// sweepPhotos is how many photos each worker of a sweep describes at least.
const sweepPhotos = 4

// near is the share of the best rate from which on fewer threads are preferred:
// other programs disturb them less.
const near = 0.97

// Sweep measures runs of all shapes that memory allows, in turns.
func (b *Benchmark) Sweep(ctx context.Context) (*SweepReport, error) {
	var err error
	if b.tmp, err = fsutil.MkdirTemp("photodesc-bench-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(b.tmp)
	if b.Prepared, err = b.Prepare(ctx, b.tmp); err != nil {
		return nil, err
	}
	if b.GPU {
		return nil, errors.New("a GPU describes the photos here: the number of threads matters little\n  PHOTODESC_BACKENDS=0 leaves the GPU out")
	}
	cores := machine.CPUs()
	if b.flags.Photos == 0 {
		b.flags.Photos = max(2*sweepPhotos, sweepPhotos*cores)
	}
	r := &SweepReport{Version: b.Version, Model: b.Model, Detail: b.flags.Run.Detail, CPU: machine.CPUModel(), Cores: cores,
		Photos: b.flags.Photos, Rounds: b.flags.Rounds}
	var plans []pool.Plan
	for _, shape := range pool.Shapes(cores) {
		p := b.PlanOf(shape)
		plans = append(plans, p)
		r.Shapes = append(r.Shapes, SweepRow{Workers: shape.Workers, Threads: shape.Threads, Parallel: p.Slots,
			Skipped: !p.Fits || p.Workers < shape.Workers})
	}
	photos := filepath.Join(b.tmp, "photos")
	if err := os.Mkdir(photos, 0o700); err != nil {
		return nil, err
	}
	if _, err := bench.WritePhotos(photos, 1, b.flags.Photos, b.width, b.height); err != nil {
		return nil, err
	}
	rates := make([][]float64, len(plans))
	for n := range b.flags.Rounds {
		for i := range plans {
			row := &r.Shapes[i]
			if row.Skipped {
				continue
			}
			b.Plan = plans[i]
			work := filepath.Join(b.tmp, fmt.Sprintf("work-%d-%d", n, i))
			if err := os.Mkdir(work, 0o700); err != nil {
				return nil, err
			}
			run, err := b.run(ctx, photos, work)
			if err != nil {
				return nil, err
			}
			b.Say("  %s: %s photos an hour", row.text(), ui.RateText(3600/run.photoSeconds()))
			rates[i] = append(rates[i], 3600/run.photoSeconds())
			row.PhotosHour, row.Memory = bench.Median(rates[i]), max(row.Memory, run.memory)
		}
	}
	r.Best = best(r.Shapes)
	if r.Shapes[r.Best].Skipped {
		return nil, errors.New("one worker with one photo needs more than the memory budget\n  give more with --memory")
	}
	return r, nil
}

// best is the shape with most photos an hour or, among those near it, the fewest
// threads.
func best(rows []SweepRow) int {
	top := 0.0
	for _, r := range rows {
		top = max(top, r.PhotosHour)
	}
	found := 0
	for i, r := range rows {
		b := rows[found]
		isNear, wasNear := r.PhotosHour >= near*top, b.PhotosHour >= near*top
		if !r.Skipped && (b.Skipped || isNear && (!wasNear || r.Threads < b.Threads || r.Threads == b.Threads && r.PhotosHour > b.PhotosHour)) {
			found = i
		}
	}
	return found
}

func (r SweepRow) text() string {
	return fmt.Sprintf("%s of %s", wording.Count(r.Workers, "worker"), wording.Count(r.Threads, "thread"))
}

// Write is the report for people.
func (r *SweepReport) Write(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s in each run, %s, %s (%s)\n\n", r.Model, wording.Count(r.Photos, "photo"), wording.Count(r.Rounds, "round"), wording.Count(r.Cores, "core"), r.CPU)
	fmt.Fprintf(&b, "%7s × %-7s  %14s  %10s\n", "workers", "threads", "photos an hour", "memory")
	for i, row := range r.Shapes {
		rate, memory, mark := ui.RateText(row.PhotosHour), humanize.IBytes(row.Memory), ""
		if row.Memory == 0 {
			memory = "unknown"
		}
		if row.Skipped {
			rate, memory, mark = "–", "", "not enough memory"
		}
		if i == r.Best {
			mark = "fastest"
		}
		fmt.Fprintf(&b, "%s\n", strings.TrimRight(fmt.Sprintf("%7d × %-7d  %14s  %10s  %s", row.Workers, row.Threads, rate, memory, mark), " "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
