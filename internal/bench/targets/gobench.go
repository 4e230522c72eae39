package targets

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"photodesc/internal/bench"
)

// goBench runs a Go benchmark of a package with a model, rounds times over, and returns what it printed.
func goBench(l *lab, name, pkg string, args ...string) (string, error) {
	args = append(append([]string{"test", "-run", "^$", "-bench", "^" + name + "$"}, args...), pkg)
	fmt.Fprintf(l.say, "go %s\n", strings.Join(args, " "))
	model, err := filepath.Abs(l.text())
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(l.ctx, "go", args...)
	cmd.Env = append(os.Environ(), "PHOTODESC_BENCH_MODEL="+model)
	cmd.Stderr = l.say
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go test: %w\n%s", err, out)
	}
	return string(out), nil
}

// benchFigures are the figures with a unit in what go test printed.
func benchFigures(out, unit string) (all []float64) {
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		for i, f := range fields[:max(len(fields)-1, 0)] {
			if x, err := strconv.ParseFloat(f, 64); err == nil && fields[i+1] == unit {
				all = append(all, x)
			}
		}
	}
	return all
}

// jpeg reads the decoder's own benchmark.
func (l *lab) jpeg() (figure, error) {
	out, err := goBench(l, "BenchmarkDecode12Megapixels", "./internal/photo/vips", "-count", strconv.Itoa(l.rounds))
	if err != nil {
		return figure{}, err
	}
	ms := benchFigures(out, "cpu-ms/op")
	if len(ms) == 0 {
		return figure{}, fmt.Errorf("go test printed no cpu-ms/op:\n%s", out)
	}
	x := bench.Median(ms)
	return figure{fmt.Sprintf("%.1f ms", x), x <= 40, ""}, nil
}

// longDecode measures 16 slots on all CPUs and 8 on one, with and without our attention in turns; the smaller ratio counts.
func (l *lab) longDecode() (figure, error) {
	out, err := goBench(l, "BenchmarkLongDecode", "./llm", "-benchtime", strconv.Itoa(l.rounds)+"x")
	if err != nil {
		return figure{}, err
	}
	ratios, with, without := benchFigures(out, "times"), benchFigures(out, "tokens/s"), benchFigures(out, "tokens/s-without")
	if len(ratios) != 2 || len(with) != 2 || len(without) != 2 {
		return figure{}, fmt.Errorf("go test did not measure two numbers of slots:\n%s", out)
	}
	var notes []string
	for i, slots := range []string{"16 slots", "8 slots, one thread"} {
		notes = append(notes, fmt.Sprintf("%s %.2f: %.0f against %.0f tokens/s", slots, ratios[i], with[i], without[i]))
	}
	return times(math.Min(ratios[0], ratios[1]), 1.4, strings.Join(notes, "; ")), nil
}
