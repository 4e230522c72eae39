package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"photodesc/internal/fsutil"
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

--embed writes into the photos themselves, JPEG and PNG only, by the installed
exiftool, and wants --yes. docs/xmp.md says which program reads what.`,
	example: "  photodesc export xmp --dry-run\n  photodesc export xmp\n  photodesc export xmp --remove --in 2024",
	flags: func(f *exportFlags, set *pflag.FlagSet) {
		set.StringVar(&f.sidecarNames, "sidecar-name", string(xmp.FullName), "`NAME` of a new sidecar of IMG.jpg: full is IMG.jpg.xmp, stem is IMG.xmp for Adobe's programs")
		set.BoolVar(&f.remove, "remove", false, "take out of the sidecars what was put in; one that has nothing else is deleted")
		set.BoolVar(&f.embed, "embed", false, "write into the photos themselves instead; needs exiftool and --yes")
		set.BoolVar(&f.yes, "yes", false, "with --embed: there is a backup of the photos, and they may be changed")
	},
	check: func(f *exportFlags) error {
		if f.sidecarNames != string(xmp.FullName) && f.sidecarNames != string(xmp.StemName) {
			return ui.UsageError("--sidecar-name: %q is not %s or %s", f.sidecarNames, xmp.FullName, xmp.StemName)
		}
		if f.embed && !f.yes && !f.dryRun {
			return ui.UsageError("--embed changes the photos themselves\n  see with --dry-run how many; when there is a backup, give --yes, too")
		}
		if f.yes && !f.embed {
			return ui.UsageError("--yes belongs to --embed")
		}
		return nil
	},
	run: (*exporter).exportSidecars,
}

// sidecarsAtOnce is how many sidecars are written at the same time: each waits for its disk.
const sidecarsAtOnce = 4

// stopPatience is how long a request to stop waits for the files that are being written.
const stopPatience = 5 * time.Second

// exportSidecars writes or removes the sidecars of the photos that were asked for.
func (x *exporter) exportSidecars() error {
	root, err := photosRoot(x.snapshot)
	if err != nil {
		return err
	}
	if err := x.findWords(); err != nil {
		return err
	}
	options := xmp.Options{Names: xmp.Names(x.flags.sidecarNames), DryRun: x.flags.dryRun, Inside: embedded.Read}
	var s sidecarWriter = xmp.In(root, options)
	if x.flags.embed {
		if s, err = xmp.IntoPhotos(x.ctx, root, options); err != nil {
			return err
		}
	}
	counted, err := tracker.CountSidecars(x.snapshot.Dir)
	if err != nil {
		return ui.WorkdirError(x.snapshot.Dir, err)
	}
	tally := newSidecarTally(func(text string) { fmt.Fprintln(os.Stderr, "photodesc: "+text) })
	tally.embed, tally.removes = x.flags.embed, x.flags.remove
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
	if !x.flags.dryRun && !x.flags.embed {
		x.noteSidecars(counted, tally, err == nil)
	}
	if err != nil {
		return err
	}
	if tally.failed > 0 {
		return &ui.Exit{Code: ui.ExitFailed}
	}
	return nil
}

// noteSidecars notes for status what became of the sidecars; ended is whether all photos that were asked for had their turn. A note
// that cannot be written is no failure: that of an earlier export, with its time, stays true.
func (x *exporter) noteSidecars(counted *tracker.SidecarCount, t *sidecarTally, ended bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := ended && x.ctx.Err() == nil && x.words == "" && x.since.IsZero() && (x.folder == "" || x.folder == ".")
	if x.flags.remove {
		_ = counted.Removed(all && t.failed == 0, t.outcomes[xmp.Changed]+t.outcomes[xmp.Deleted])
		return
	}
	_ = counted.Exported(all, t.outcomes[xmp.Made]+t.outcomes[xmp.Changed]+t.outcomes[xmp.Unchanged], t.failed)
}

// sidecarWriter writes sidecars, or into the photos themselves.
type sidecarWriter interface {
	Write(path string, t xmp.Text) (xmp.Outcome, error)
	Remove(path string) (xmp.Outcome, error)
}

// writeSidecars goes through the photos. It ends with the first error after which no other sidecar could be written either.
func (x *exporter) writeSidecars(s sidecarWriter, tally *sidecarTally, show *exportProgress) error {
	var all sync.WaitGroup
	// A file that is being written is finished, unless its disk does not answer.
	stopped := func() {
		done := make(chan struct{})
		go func() { all.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(stopPatience):
		}
	}
	places := make(chan struct{}, sidecarsAtOnce)
	for p, err := range tracker.Photos(x.snapshot.Dir, tracker.Select{Match: x.wanted}) {
		if err = errors.Join(err, x.ctx.Err(), tally.stop()); err != nil {
			stopped()
			return ui.WorkdirError(x.snapshot.Dir, err)
		}
		if !p.HasWords() && !x.flags.remove || wordsTime(&p).Before(x.since) {
			continue
		}
		show.count()
		select {
		case places <- struct{}{}:
		case <-x.ctx.Done():
			continue
		}
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
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-x.ctx.Done():
		stopped()
	}
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
	if fsutil.IsBucket(root) {
		return "", inBucketError(root)
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return "", fmt.Errorf("the photo folder %q is not there\n  is its disk or server connected?", root)
	}
	return root, nil
}

// sidecarTally counts what became of sidecars. It may be used concurrently.
type sidecarTally struct {
	folds folds
	embed bool // they are the photos themselves

	removes bool // what was put in is taken out

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
	w := warning{"photo", "without an up-to-date sidecar", name, why, fmt.Sprintf("no sidecar for %s: %v", name, err)}
	switch {
	case t.removes && !t.embed:
		w.happened, w.line = "with a sidecar left as it is", fmt.Sprintf("the sidecar of %s is left as it is: %v", name, err)
	case t.embed:
		w.happened, w.line = "left as it is", fmt.Sprintf("%s is left as it is: %s", name, why)
	}
	t.folds.add(w)
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
	words := map[xmp.Outcome]string{xmp.Made: "made", xmp.Changed: "changed", xmp.Deleted: "deleted"}
	text := "Sidecars: "
	if t.embed { // nobody is to read that photos were deleted
		words = map[xmp.Outcome]string{xmp.Made: "written", xmp.Changed: "changed", xmp.Deleted: "taken out"}
		text = "Descriptions inside of photos: "
	}
	var parts []string
	add := func(n int, text string) {
		if n > 0 {
			parts = append(parts, ui.Comma(n)+" "+text)
		}
	}
	for _, o := range []xmp.Outcome{xmp.Made, xmp.Changed, xmp.Deleted} {
		if dry {
			words[o] = "would be " + words[o]
		}
		add(t.outcomes[o], words[o])
	}
	add(t.outcomes[xmp.Unchanged], "up to date")
	add(t.failed, "left as they are")
	if text += strings.Join(parts, ", "); len(parts) == 0 {
		text += "none"
	}
	if n := t.outcomes[xmp.Gone]; n > 0 {
		text += fmt.Sprintf("; %s not there any more", wording.Count(n, "photo"))
	}
	return text + "."
}
