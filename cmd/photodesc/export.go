package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"photodesc/internal/export"
	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
	"photodesc/tracker"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const exportHelp = `Writes the descriptions for other programs: the newest answer of each photo, and
without those that failed or are gone. Photos are chosen as by photodesc search,
by words and by --in and --since; without words all are written.`

// exportFormat is an entry of the table of formats. Each is a command below `photodesc export`.
type exportFormat struct {
	name, short, long, example string

	flags func(*exportFlags, *pflag.FlagSet) // those that not all formats have; nil where there are none
	check func(*exportFlags) error           // what is wrong with their values; nil where nothing can be
	run   func(*exporter) error
}

// exportFormats are the formats, in the order of the help.
var exportFormats = []exportFormat{
	csvFormat,
	tsvFormat,
	jsonlFormat,
	sidecarFormat("txt"),
	sidecarFormat("caption"),
	imagefolderFormat,
	htmlFormat,
	xmpFormat,
}

// exportFlags are the flags of all formats; which of them a format has is in its entry.
type exportFlags struct {
	folder, since string
	failed, gone  bool
	dryRun        bool
	skipOld       bool
	force         bool
	output        string

	columns   []string
	separator string
	noMark    bool
	raw       bool

	prompt       string
	withKeywords bool
	template     string
	captionForm  export.Caption // of the three
	wholeName    bool
	sidecarNames string
	embed, yes   bool
	remove       bool

	large bool
	title string
}

// choosing registers the flags that choose photos.
func (f *exportFlags) choosing(set *pflag.FlagSet) {
	set.StringVar(&f.folder, "in", "", "only photos in this `FOLDER` and below it")
	set.StringVar(&f.since, "since", "", "only photos described or corrected since this `DATE`, as 2024, 2024-05 or 2024-05-31, or for a time, as 7d or 12h")
	set.BoolVar(&f.gone, "gone", false, "also photos that are gone from the photo folder")
	set.BoolVar(&f.dryRun, "dry-run", false, "say what would be written, and write nothing")
	set.BoolVar(&f.skipOld, "skip-old", false, "do not read dates and cameras of photos that version 0.1 described")
}

// toFile registers the flags of formats that are one file.
func (f *exportFlags) toFile(set *pflag.FlagSet) {
	set.StringVarP(&f.output, "output", "o", "", "write to this `FILE` instead of standard output")
	set.BoolVar(&f.force, "force", false, "replace a file that was not written by this command or was changed since")
}

// withFailed registers the flag of formats that have a place for what went wrong.
func (f *exportFlags) withFailed(set *pflag.FlagSet) {
	set.BoolVar(&f.failed, "failed", false, "also photos that failed and were never described")
}

func exportCommand(g *global) *cobra.Command {
	c := &cobra.Command{
		Use:     "export FORMAT",
		Short:   "Write the descriptions for other programs",
		Long:    exportHelp,
		Example: "  photodesc export csv -o photos.csv\n  photodesc export jsonl dog beach --in 2024",
		Args:    unknownFormat,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, f := range exportFormats {
		c.AddCommand(f.command(g))
	}
	return c
}

func (format exportFormat) command(g *global) *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:     format.name + " [WORDS…]",
		Short:   format.short,
		Long:    format.long,
		Example: format.example,
		RunE: func(c *cobra.Command, words []string) error {
			if format.check != nil {
				if err := format.check(&f); err != nil {
					return err
				}
			}
			if len(words) > 0 && strings.TrimSpace(strings.Join(words, "")) == "" { // an unset variable of a script
				return ui.UsageError("the words are empty; leave them out where all photos are meant")
			}
			ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
			defer stop()
			x, err := newExporter(ctx, g.dir, &f, strings.Join(words, " "))
			if err != nil {
				return err
			}
			x.out = c.OutOrStdout()
			if !f.dryRun && !f.skipOld {
				fillOld(ctx, x.snapshot)
			}
			if err = format.run(x); ctx.Err() != nil {
				return &ui.Exit{Code: ui.ExitStopped}
			}
			return err
		},
	}
	f.choosing(c.Flags())
	if format.flags != nil {
		format.flags(&f, c.Flags())
	}
	c.Annotations = map[string]string{}
	c.Flags().VisitAll(func(flag *pflag.Flag) { c.Annotations[ownFlag+flag.Name] = "yes" })
	return c
}

// newExporter looks at the workdir and at the flags that choose photos.
func newExporter(ctx context.Context, dir string, f *exportFlags, words string) (x *exporter, err error) {
	x = &exporter{ctx: ctx, flags: f, words: words}
	if !f.gone {
		x.gone = tracker.ReadGone(dir)
	}
	if x.since, err = sinceTime(f.since, time.Now()); err != nil {
		return nil, err
	}
	if words != "" && f.failed {
		return nil, ui.UsageError("--failed: a photo that failed has no words to be found by; leave out the words or --failed")
	}
	if x.snapshot, err = ui.Peek(dir); err != nil {
		return nil, err
	}
	if err = checkDescribed(x.snapshot); err != nil {
		return nil, err
	}
	if f.folder != "" {
		if x.folder, err = searchedFolder(x.snapshot, f.folder); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// checkDescribed returns an error if s is of a folder in which no run has worked and no outputs lie: it is hardly the one
// that is meant, and to find nothing in it would be a wrong answer.
func checkDescribed(s tracker.Snapshot) error {
	if s.HasRun || hasOutputs(s.Dir) {
		return nil
	}
	return fmt.Errorf("no photo has been described in the workdir %q\n  -C names another, and photodesc status --all lists yours; a run begins with: %s",
		s.Dir, ui.CommandLine(s.Dir, "run", "DIR"))
}

// hasOutputs is whether there are outputs, be it without the files of a run.
func hasOutputs(dir string) bool {
	found, _ := filepath.Glob(filepath.Join(fsutil.QuoteGlob(dir), tracker.OutputsName, "*.jsonl"))
	return len(found) > 0
}

func unknownFormat(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, f := range exportFormats {
		names = append(names, f.name)
	}
	return ui.UsageError("there is no format %q\n  the formats are %s; the format comes first: photodesc export csv dog beach", args[0], strings.Join(names, ", "))
}
