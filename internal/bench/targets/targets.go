// Package targets measures photodesc's performance targets, a table of rows, by running the program as a user would.
// Its command is tools/bench.
package targets

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/shirou/gopsutil/v3/load"

	"photodesc/internal/machine"
)

// options are the sizes of a measurement, which can be reduced for a quick test.
type options struct {
	program, models, out string
	photos, theirs       int
	tokens, rounds       int
	files                int
}

// lab is where a row is measured.
type lab struct {
	options
	ctx   context.Context
	shape shape
	peer  peer
	say   io.Writer
	kept  *report // of five tiles a photo, which several rows read
}

// Run measures the rows that args name, or all, and writes the table to out. It returns flag.ErrHelp, after printing a
// message, if the arguments are wrong or ask for help.
func Run(ctx context.Context, args []string, out io.Writer) error {
	l := &lab{ctx: ctx, say: os.Stderr}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&l.program, "program", "bin/photodesc", "the program to measure")
	flags.StringVar(&l.models, "models", "build/models", "folder of the models")
	name := flags.String("shape", "smolvlm-500m", "the model's `SHAPE`; tiny is for trying this program, not for figures")
	flags.StringVar(&l.out, "o", "build/bench", "folder for what each measurement printed")
	flags.IntVar(&l.photos, "photos", 16, "photos of a round")
	flags.IntVar(&l.theirs, "peer-photos", 8, "photos of a round that the server gets; half of them where it makes 13 tiles of each")
	flags.IntVar(&l.tokens, "tokens", 64, "tokens of a description")
	flags.IntVar(&l.rounds, "rounds", 3, "rounds; the medians count")
	flags.IntVar(&l.files, "files", 1_000_000, "files to walk")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: bench [flags] [ROW...]\nrows:")
		for _, r := range rows {
			fmt.Fprintf(flags.Output(), "  %-12s %s: %s\n", r.name, r.text, r.want)
		}
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return flag.ErrHelp // said already
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		return err
	}
	var known bool
	if l.shape, known = shapes[*name]; !known {
		return fmt.Errorf("no shape %q; there are smolvlm-500m and tiny", *name)
	}
	if l.photos < 1 || l.theirs < 1 || l.theirs > l.photos || l.tokens < 1 || l.rounds < 1 || l.files < 1 {
		return errors.New("photos, peer-photos, tokens, rounds and files are at least 1, and the peer has no more photos than we")
	}
	if l.peer, err = findPeer(os.Getenv("PEER"), os.Getenv("PEER_BENCH")); err != nil {
		return err
	}
	if err := os.MkdirAll(l.out, 0o777); err != nil {
		return err
	}
	if l.program, err = filepath.Abs(l.program); err != nil {
		return err
	}
	for _, file := range []string{l.program, l.text(), l.vision(l.shape.reference), l.vision(l.shape.fiveTiles)} {
		if _, err := os.Stat(file); err != nil {
			return fmt.Errorf("%w\n  `make bench` makes what is needed", err)
		}
	}
	l.heading()
	return l.table(out, chosen)
}

// choose finds rows by name; all, if none is named.
func choose(names []string) (chosen []row, err error) {
	if len(names) == 0 {
		return rows, nil
	}
	for _, name := range names {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no row %q; the rows are %s", name, strings.Join(rowNames(), ", "))
		}
		chosen = append(chosen, rows[i])
	}
	return chosen, nil
}

func rowNames() (names []string) {
	for _, r := range rows {
		names = append(names, r.name)
	}
	return names
}

// heading returns the machine and the conditions that would distort the measurement.
func (l *lab) heading() {
	fmt.Fprintf(l.say, "%s, %s, %d CPUs\n", time.Now().Format("2 January 2006 15:04"), cmp.Or(machine.CPUModel(), runtime.GOARCH), runtime.NumCPU())
	if version := l.peer.version(l.ctx); version != "" {
		fmt.Fprintf(l.say, "peer: %s\n", version)
	}
	if core := os.Getenv("OPENBLAS_CORETYPE"); core != "" {
		fmt.Fprintf(l.say, "warning: OPENBLAS_CORETYPE=%s is set, and OpenBLAS keeps to it whatever the CPU can do\n", core)
	}
	if avg, err := load.Avg(); err == nil && avg.Load1 > 0.5 {
		fmt.Fprintf(l.say, "warning: the load is %.1f; the figures are worth little unless this machine is left alone\n", avg.Load1)
	}
}

// line is a row of the table, measured.
type line struct{ row, what, want, measured, verdict string }

// table measures the rows and prints them: each as soon as it is there among what is said, and all of them at the end.
func (l *lab) table(out io.Writer, chosen []row) error {
	var lines []line
	var failed []string
	for _, r := range chosen {
		f, err := l.measure(r)
		if l.ctx.Err() != nil {
			break
		}
		verdict := "reached"
		switch {
		case errors.Is(err, errNoPeer):
			f, verdict = figure{text: "–"}, err.Error()
		case err != nil:
			f, verdict = figure{text: "–"}, "failed: "+firstLine(err.Error())
			failed = append(failed, r.name)
			fmt.Fprintf(l.say, "%s: %v\n", r.name, err)
		case !l.whole():
			verdict = "a try, not judged"
		case !f.ok:
			verdict = "missed"
		}
		if f.note != "" {
			verdict += "; " + f.note
		}
		lines = append(lines, line{r.name, r.text, r.want, f.text, verdict})
		fmt.Fprintf(l.say, "-> %s: %s, wanted %s\n", r.name, f.text, r.want)
	}
	fmt.Fprintln(l.say)
	printTable(out, lines)
	switch {
	case l.ctx.Err() != nil:
		return errors.New("stopped on request")
	case len(failed) > 0:
		return fmt.Errorf("could not measure: %s", strings.Join(failed, ", "))
	}
	return nil
}

// whole tells whether the table is measured as it is meant.
func (l *lab) whole() bool {
	return l.shape.name == "smolvlm-500m" && l.tokens == 64 && l.files == 1_000_000
}

func printTable(out io.Writer, lines []line) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "row\twhat\twanted\tmeasured\t")
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.row, l.what, l.want, l.measured, l.verdict)
	}
	w.Flush()
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func (l *lab) measure(r row) (figure, error) {
	fmt.Fprintf(l.say, "\n== %s: %s\n", r.name, r.text)
	if r.server && l.peer.server == nil {
		return figure{}, fmt.Errorf("%w: PEER names no llama-server", errNoPeer)
	}
	if r.bench && l.peer.bench == nil {
		return figure{}, fmt.Errorf("%w: PEER_BENCH names no llama-bench", errNoPeer)
	}
	return r.measure(l)
}
