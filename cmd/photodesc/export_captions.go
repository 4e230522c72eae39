package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"photodesc/internal/export"
	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/tracker"

	"github.com/spf13/pflag"
)

const captionsHelp = `A file that was not written by this command, or that somebody changed since, is
left alone; the command says how many those were. --remove removes the files that
are as this command left them. Without -o the files are beside the photos, with it
in a tree of the same folders elsewhere.

The text is the description on one line, or the answer to another prompt, or what
--template makes of them.`

// sidecarFormat is a format of a file for each photo with the ending of its name.
func sidecarFormat(name string) exportFormat {
	return exportFormat{
		name: name, short: "A ." + name + " file for each photo, for those who train image models",
		long: fmt.Sprintf("Writes a file for each photo, photo.%s for photo.jpg, with its description.\n", name) + captionsHelp,
		example: fmt.Sprintf("  photodesc export %s -o captions\n  photodesc export %s --template 'photo of ohwx, {description}'\n  photodesc export %s --remove",
			name, name, name),
		flags: func(f *exportFlags, set *pflag.FlagSet) {
			set.StringVarP(&f.output, "output", "o", "", "write the files into this `FOLDER`, in the same folders as the photos")
			f.caption(set)
			set.BoolVar(&f.wholeName, "whole-name", false, fmt.Sprintf("name the files photo.jpg.%s, so that photo.jpg and photo.png have two", name))
			set.BoolVar(&f.remove, "remove", false, "remove the files that are as this command left them")
		},
		check: func(f *exportFlags) error { return f.checkCaption() },
		run:   func(x *exporter) error { return x.exportCaptions(name) },
	}
}

// caption registers the flags that decide a caption's text.
func (f *exportFlags) caption(set *pflag.FlagSet) {
	set.StringVar(&f.prompt, "prompt", "", "the answer to this prompt, by its `NAME`, instead of the description")
	set.BoolVar(&f.withKeywords, "with-keywords", false, "the keywords behind the text, after commas")
	set.StringVar(&f.template, "template", "", "the `TEXT` of a caption, with {description}, {keywords}, {answers.NAME}, {name}, {folder}, {path} or another column in it")
}

func (f *exportFlags) checkCaption() (err error) {
	if f.template != "" && (f.prompt != "" || f.withKeywords) {
		return ui.UsageError("--template says all of a caption; write {answers.NAME} and {keywords} into it instead of --prompt and --with-keywords")
	}
	f.captionForm = export.NewCaption(f.prompt, f.withKeywords)
	if f.template != "" {
		if f.captionForm, err = export.ParseCaption(f.template); err != nil {
			return ui.UsageError("--template: %v", err)
		}
	}
	return nil
}

// inBucketError is for what needs the photos as files.
func inBucketError(root string) error {
	return fmt.Errorf("the photos lie in the bucket %s, which is only read, and this needs them in a folder\n  csv, tsv and jsonl need no photos; -o FOLDER takes files that would lie beside photos", root)
}

// photoFolder is where the photos are.
func (x *exporter) photoFolder() (string, error) {
	root, err := tracker.DecodePath(x.snapshot.Root)
	if err != nil || root == "" {
		return "", fmt.Errorf("the workdir does not say where its photos are\n  `photodesc run DIR` notes it; -o names another place for the files")
	}
	if fsutil.IsBucket(root) {
		return "", inBucketError(root)
	}
	if info, err := os.Stat(root); err != nil || !info.IsDir() {
		return "", fmt.Errorf("the photo folder %q is not there\n  is its disk connected? -o names another place for the files", root)
	}
	return root, nil
}

// fileOutcomes counts what became of files, with an example of each.
type fileOutcomes struct {
	count   [6]int
	example [6]string
	err     error // of the first file that could not be written

	missing, shared               int // photos without a text, and with the file of another photo
	missingExample, sharedExample string
}

func (o *fileOutcomes) add(file string, what export.Outcome, err error) {
	if o.count[what]++; o.count[what] == 1 {
		o.example[what] = tracker.EncodePath(file)
		o.err = errors.Join(o.err, err)
	}
}

func (x *exporter) exportCaptions(ending string) error {
	if x.flags.remove && (x.words != "" || x.flags.since != "") {
		return ui.UsageError("--remove removes files by their place: --in FOLDER chooses some, words and --since do not")
	}
	ledger, err := export.OpenLedger(x.ctx, x.snapshot.Dir)
	if err != nil {
		return err
	}
	defer ledger.Close()
	unlock, err := ledger.Lock()
	if errors.Is(err, export.ErrBusy) {
		return errors.New("another export of this workdir is writing files beside photos\n  wait for it to end")
	}
	if err != nil {
		return err
	}
	defer unlock()
	var all fileOutcomes
	s := &export.Sidecars{Ledger: ledger, Kind: ending, DryRun: x.flags.dryRun, Report: all.add}
	if x.flags.output == "" {
		if s.Photos, err = x.photoFolder(); err != nil {
			return err
		}
	} else if s.Folder, err = mirrorFolder(x.flags.output); err != nil {
		return err
	}
	if x.flags.remove {
		err = s.Remove(x.ctx, func(file string) bool { return x.folder == "" || x.folder == "." || fsutil.Below(file, x.folder) })
	} else {
		err = x.writeCaptions(s, "."+ending, &all)
	}
	if x.ctx.Err() == nil {
		x.sayFiles(ending, &all)
	}
	if err != nil {
		return captionError(err)
	}
	if all.count[export.Broken] > 0 {
		return &ui.Exit{Code: ui.ExitFailed}
	}
	return nil
}

// mirrorFolder is the folder of -o, which may not be there yet.
func mirrorFolder(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return "", ui.UsageError("-o: %q is a file; name a folder for the files", path)
	}
	if err == nil {
		return filepath.EvalSymlinks(absolute(path))
	}
	above, err := filepath.EvalSymlinks(filepath.Dir(absolute(path)))
	if err != nil {
		return "", fmt.Errorf("%w\n  the folder above that of -o has to be there", err)
	}
	return filepath.Join(above, filepath.Base(path)), nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (x *exporter) writeCaptions(s *export.Sidecars, ending string, all *fileOutcomes) error {
	shared := export.Shared{There: x.photoThere()}
	if !x.flags.wholeName {
		// Also of photos that were not asked for: theirs is not to be replaced.
		if err := x.everyPhoto(func(r *tracker.Photo) error { shared.Add(r.Path); return nil }); err != nil {
			return err
		}
	}
	err := x.each(func(r *tracker.Photo) error {
		text := x.flags.captionForm.Text(r)
		switch {
		case text == "":
			if all.missing++; all.missing == 1 {
				all.missingExample = tracker.EncodePath(r.Path)
			}
			return nil
		case !x.flags.wholeName && !shared.First(r.Path) && shared.There != nil && !shared.There(r.Path):
			all.add(export.Beside(r.Path, ending, false), export.Gone, nil)
			return nil
		case !x.flags.wholeName && !shared.First(r.Path):
			if all.shared++; all.shared == 1 {
				all.sharedExample = tracker.EncodePath(r.Path)
			}
			return nil
		}
		return s.Put(x.ctx, r.Path, export.Beside(r.Path, ending, x.flags.wholeName), text)
	})
	if err != nil {
		return err
	}
	return s.Flush(x.ctx)
}

// photoThere tells whether a photo is in the photo folder; it is nil where that folder is not there.
func (x *exporter) photoThere() func(path string) bool {
	root, err := x.photoFolder()
	if err != nil {
		return nil
	}
	return func(path string) bool {
		_, err := os.Stat(fsutil.Join(root, path))
		return !errors.Is(err, fs.ErrNotExist)
	}
}

// captionError says what to do about an error that ended the export.
func captionError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, export.ErrBusy):
		return err
	}
	return fmt.Errorf("%w\n  what was written is known; the same command goes on", err)
}

// sayFiles says what became of the files: on standard output what was done, on standard error what was not.
func (x *exporter) sayFiles(ending string, o *fileOutcomes) {
	would := ""
	if x.flags.dryRun {
		would = "would be "
	}
	done := []string{}
	add := func(what export.Outcome, text string) {
		if n := o.count[what]; n > 0 {
			done = append(done, ui.Comma(n)+" "+text)
		}
	}
	add(export.Written, would+"written")
	add(export.Removed, would+"removed")
	add(export.Same, "as they were")
	total := o.count[export.Written] + o.count[export.Removed] + o.count[export.Same]
	text := wording.Count(total, "."+ending+" file")
	if total == 0 {
		text = fmt.Sprintf("No .%s file %s", ending, map[bool]string{false: "written", true: "removed"}[x.flags.remove])
	} else {
		text += ": " + strings.Join(done, ", ")
	}
	if !ui.Quiet() {
		fmt.Fprintln(x.out, text+".")
	}
	for _, line := range []struct {
		n             int
		of, text      string
		example       string
		notOfRemoving bool
	}{
		{o.count[export.Theirs], "." + ending + " file", "left alone, because somebody wrote or changed it", o.example[export.Theirs], false},
		{o.missing, "photo", "left out, without a text of this form", o.missingExample, false},
		{o.shared, "photo", "left out, because the file is for a photo of the same name with another ending; --whole-name gives each its own", o.sharedExample, false},
		{o.count[export.Gone], "photo", "left out that cannot be found any more", o.example[export.Gone], true},
	} {
		if line.n > 0 && !(x.flags.remove && line.notOfRemoving) {
			fmt.Fprintf(os.Stderr, "%s %s: %s\n", wording.Count(line.n, line.of), line.text, line.example)
		}
	}
	if n := o.count[export.Broken]; n > 0 {
		fmt.Fprintf(os.Stderr, "photodesc: %s could not be written or removed: %v\n", wording.Count(n, "."+ending+" file"), o.err)
	}
}
