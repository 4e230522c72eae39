package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/xmp"
	"photodesc/internal/xmp/embedded"
	"photodesc/tracker"

	"github.com/spf13/pflag"
)

var xmpFormat = exportFormat{
	name: "xmp", short: "Sidecars for digiKam, darktable, Lightroom, Immich, PhotoPrism",
	long: `Writes descriptions and keywords into XMP sidecars beside the photos: into one that
is there, else into a new IMG.jpg.xmp, which begins with what is embedded in the
photo. With --sidecar-name stem a new one is IMG.xmp, as Lightroom reads it.

What a person wrote is not changed. A description is added where there is none,
keywords are added to those that are there; every other byte stays. A text that
somebody corrects or removes in a photo program is theirs from then on. A second
export changes only what is out of date. --remove takes out what was put in.

docs/xmp.md says which program reads what.`,
	example: "  photodesc export xmp --dry-run\n  photodesc export xmp\n  photodesc export xmp --remove --in 2024",
	flags: func(f *exportFlags, set *pflag.FlagSet) {
		set.StringVar(&f.sidecarNames, "sidecar-name", string(xmp.FullName), "`NAME` of a new sidecar of IMG.jpg: full is IMG.jpg.xmp, stem is IMG.xmp for Adobe's programs")
		set.BoolVar(&f.remove, "remove", false, "take out of the sidecars what was put in; one that has nothing else is deleted")
	},
	check: func(f *exportFlags) error {
		if f.sidecarNames != string(xmp.FullName) && f.sidecarNames != string(xmp.StemName) {
			return ui.UsageError("--sidecar-name: %q is not %s or %s", f.sidecarNames, xmp.FullName, xmp.StemName)
		}
		return nil
	},
	run: (*exporter).exportSidecars,
}

// sidecarsAtOnce is how many sidecars are written at the same time: each waits for its disk.
const sidecarsAtOnce = 4

// exportSidecars writes or removes the sidecars of the photos that were asked for.
func (x *exporter) exportSidecars() error {
	root, err := photosRoot(x.snapshot)
	if err != nil {
		return err
	}
	if err := x.findWords(); err != nil {
		return err
	}
	s := xmp.In(root, xmp.Options{Names: xmp.Names(x.flags.sidecarNames), DryRun: x.flags.dryRun, Inside: embedded.Read})
	tally := newSidecarTally(func(text string) { fmt.Fprintln(os.Stderr, "photodesc: "+text) })
	show := newExportProgress()
	err = x.writeSidecars(s, tally, show)
	show.end()
	tally.folds.flush()
	if x.flags.remove {
		tally.outcomes[xmp.Unchanged] = 0 // there was nothing of ours
	}
	if text := tally.text(x.flags.dryRun); !ui.Quiet() || x.flags.dryRun {
		fmt.Fprintln(x.out, text)
	}
	if err != nil {
		return err
	}
	if tally.failed > 0 {
		return &ui.Exit{Code: ui.ExitFailed}
	}
	return nil
}

// writeSidecars goes through the photos. It ends with the first error after which no other sidecar could be written either.
func (x *exporter) writeSidecars(s *xmp.Sidecars, tally *sidecarTally, show *exportProgress) error {
	var all sync.WaitGroup
	defer all.Wait()
	places := make(chan struct{}, sidecarsAtOnce)
	for p, err := range tracker.Photos(x.snapshot.Dir, tracker.Select{Match: x.wanted}) {
		if err = errors.Join(err, x.ctx.Err(), tally.stop()); err != nil {
			return ui.WorkdirError(x.snapshot.Dir, err)
		}
		if !p.HasWords() && !x.flags.remove || wordsTime(&p).Before(x.since) {
			continue
		}
		show.count()
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			if x.flags.remove {
				outcome, err := s.Remove(p.Path)
				tally.add(p.Path, outcome, err)
				return
			}
			outcome, err := s.Write(p.Path, sidecarText(&p))
			tally.add(p.Path, outcome, err)
		})
	}
	all.Wait()
	return tally.stop()
}

// wordsTime is when the words were made that count.
func wordsTime(p *tracker.Photo) time.Time {
	if p.CorrectedAt.After(p.Time) {
		return p.CorrectedAt
	}
	return p.Time
}

// photosRoot is the photo folder of a workdir, which has to be there.
func photosRoot(s tracker.Snapshot) (string, error) {
	root, err := tracker.DecodePath(s.Root)
	if err != nil || root == "" {
		return "", fmt.Errorf("the workdir %q does not say where its photos are\n  a run says so: %s", s.Dir, ui.CommandLine(s.Dir, "run", "DIR"))
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return "", fmt.Errorf("the photo folder %q is not there\n  is its disk or server connected?", root)
	}
	return root, nil
}

// sidecarTally counts what became of sidecars. It may be used concurrently.
type sidecarTally struct {
	folds folds

	mu       sync.Mutex
	outcomes [xmp.Gone + 1]int
	failed   int
	full     error // the disk
}

func newSidecarTally(say func(string)) *sidecarTally { return &sidecarTally{folds: folds{say: say}} }

func (t *sidecarTally) add(path string, outcome xmp.Outcome, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.outcomes[outcome]++
		return
	}
	t.failed++
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		t.full = fmt.Errorf("no space is left for sidecars: %w\n  make room and export again: what was written stays, and each file is whole", err)
	}
	why := err.Error()
	if e := (*xmp.Error)(nil); errors.As(err, &e) {
		why = e.Reason()
	}
	name := tracker.EncodePath(path)
	t.folds.add(warning{"photo", "without an up-to-date sidecar", name, why, fmt.Sprintf("no sidecar for %s: %v", name, err)})
}

// stop is the error after which nothing more is written.
func (t *sidecarTally) stop() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.full
}

// text is a line with the numbers.
func (t *sidecarTally) text(dry bool) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var parts []string
	for _, o := range []struct {
		n           int
		did, wouldd string
	}{
		{t.outcomes[xmp.Made], "made", "would be made"}, {t.outcomes[xmp.Changed], "changed", "would be changed"},
		{t.outcomes[xmp.Deleted], "deleted", "would be deleted"}, {t.outcomes[xmp.Unchanged], "up to date", "up to date"},
		{t.failed, "left as they are", "left as they are"},
	} {
		word := o.did
		if dry {
			word = o.wouldd
		}
		if o.n > 0 {
			parts = append(parts, ui.Comma(o.n)+" "+word)
		}
	}
	text := "Sidecars: none"
	if len(parts) > 0 {
		text = "Sidecars: " + strings.Join(parts, ", ")
	}
	if n := t.outcomes[xmp.Gone]; n > 0 {
		text += fmt.Sprintf("; %s not there any more", wording.Count(n, "photo"))
	}
	return text + "."
}
