package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"photodesc/internal/export"
	"photodesc/internal/export/gallery"
	"photodesc/internal/fsutil"
	"photodesc/internal/preview"
	"photodesc/internal/storage"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/tracker"

	"github.com/spf13/pflag"
)

var htmlFormat = exportFormat{
	name: "html", short: "A gallery: pages with small pictures and descriptions",
	long: `Writes a gallery that needs no server and no network: into the folder of -o pages
of 200 photos and small pictures, or all into one file where the name of -o ends
with .html. It follows light and dark, and works on phones.

The pictures are made by protected processes, as those that describe photos. When
the command is given again, only those that are missing or of changed photos are
made.`,
	example: "  photodesc export html -o gallery\n  photodesc export html birthday --in 2024 -o birthday.html",
	flags: func(f *exportFlags, set *pflag.FlagSet) {
		set.StringVarP(&f.output, "output", "o", "", "write into this `FOLDER`, or into one file where its name ends with .html")
		set.BoolVar(&f.force, "force", false, "write into a folder with other files, and over a page that was changed")
		set.BoolVar(&f.large, "large", false, "also larger pictures, of 1600 pixels, which are shown when a photo is opened")
		set.StringVar(&f.title, "title", "", "the `TITLE`; the photo folder's name unless given")
	},
	check: func(f *exportFlags) error {
		switch {
		case f.output == "":
			return ui.UsageError("-o is missing: name a new folder for the gallery, or a file that ends with .html")
		case f.large && onePage(f.output):
			return ui.UsageError("--large: a gallery in one file has small pictures only; name a folder")
		}
		return nil
	},
	run: (*exporter).exportHTML,
}

// largeSize is what --large makes.
var largeSize = preview.Size{Longest: 1600, Quality: 82}

// maxOnePage is how many photos a gallery in one file may have: browsers are slow with pages of 100 MB.
const maxOnePage = 3000

func onePage(output string) bool { return strings.EqualFold(filepath.Ext(output), ".html") }

func (x *exporter) exportHTML() (err error) {
	h := &htmlExport{exporter: x, used: map[string]bool{}}
	if h.root, err = x.photoFolder(); err != nil {
		return err
	}
	h.root = fsutil.Resolve(h.root)
	if h.ledger, err = export.OpenLedger(x.ctx, x.snapshot.Dir); err != nil {
		return err
	}
	defer h.ledger.Close()
	first, err := h.begin()
	if err != nil {
		return outputError(x.flags.output, err)
	}
	if first != nil {
		defer func() {
			first.Discard()
			if h.folder != "" {
				_ = os.Remove(h.folder) // where nothing has come into it
			}
		}()
	}
	beside := filepath.Dir(absolute(x.flags.output))
	if x.flags.dryRun {
		beside = os.TempDir()
	}
	spool, err := gallery.NewSpool(beside)
	if err != nil {
		return err
	}
	defer spool.Close()
	links := storage.NewLinks(h.root)
	if err := h.fill(spool, links); err != nil {
		return err
	}
	h.gallery = &gallery.Gallery{Title: x.flags.title, Photos: spool, OnePage: onePage(x.flags.output)}
	if h.gallery.Title == "" {
		h.gallery.Title = tracker.EncodePath(filepath.Base(h.root))
	}
	if n := spool.Len(); h.gallery.OnePage && n > maxOnePage {
		return ui.UsageError("%s are too many for one file, which may have %s\n  name a folder with -o, or choose some with words or --in", wording.Count(n, "photo"), ui.Comma(maxOnePage))
	}
	if x.flags.dryRun {
		_, err := fmt.Fprintf(x.out, "%s would be written to %q, on %s.\n", wording.Count(spool.Len(), "photo"), x.flags.output, wording.Count(h.gallery.Pages(), "page"))
		return err
	}
	h.maker = preview.NewMaker(preview.Options{Workers: runtime.NumCPU(), Command: func() (*exec.Cmd, error) {
		return worker.Command(worker.Config{Root: storage.RawPath(h.root), Links: storage.RawPaths(links.Paths()), Previews: true, MaxBytes: 1 << 30})
	}})
	defer h.maker.Close()
	if folder, err := fsutil.CacheDir("previews"); err == nil {
		h.cache = preview.OpenCache(folder, preview.DefaultLimit)
	}
	if err := h.write(first); err != nil {
		return outputError(x.flags.output, err)
	}
	return h.say()
}

// begin makes the folder and begins the first page, which keeps other exports from writing there. It returns nil for a dry run.
func (h *htmlExport) begin() (*export.File, error) {
	file := h.flags.output
	if !onePage(file) {
		h.folder = file
		file = filepath.Join(file, gallery.PageName(1))
		if err := h.checkFolder(); err != nil {
			return nil, err
		}
	}
	if h.flags.dryRun {
		return nil, nil
	}
	if h.folder != "" {
		if err := os.Mkdir(h.folder, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return export.Create(h.ctx, h.ledger, file, h.flags.force)
}

// ours are the names in the folder of a gallery, with those that systems put into each folder that somebody looks at.
var ours = regexp.MustCompile(`^(index\.html|page-\d+\.html|pictures|\..*|Thumbs\.db|desktop\.ini)$`)

// checkFolder refuses a folder that has something else in it: a gallery of thousands of files in the wrong folder is a nuisance.
func (h *htmlExport) checkFolder() error {
	entries, err := os.ReadDir(h.folder)
	if errors.Is(err, fs.ErrNotExist) || h.flags.force {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !ours.MatchString(e.Name()) {
			return fmt.Errorf("the folder %q has something else in it: %q\n  name a new folder with -o, or write into it with --force", h.folder, e.Name())
		}
	}
	return nil
}

// fill adds the photos to the spool, and what links among them lead to.
func (h *htmlExport) fill(spool *gallery.Spool, links *storage.Links) error {
	linked := map[string]bool{} // folders that are elsewhere
	err := h.each(func(r *tracker.Photo) error {
		path := fsutil.Join(h.root, r.Path)
		folder := filepath.Dir(path)
		elsewhere, known := linked[folder]
		if !known {
			elsewhere = fsutil.Resolve(folder) != folder
			linked[folder] = elsewhere
		}
		if info, err := os.Lstat(path); elsewhere || err == nil && info.Mode()&fs.ModeSymlink != 0 {
			links.Add(path)
		}
		return spool.Add(gallery.Photo{Path: []byte(r.Path), Description: r.Description, Keywords: r.Keywords, Facts: factsOf(r)})
	})
	if err != nil {
		return err
	}
	return spool.Sort()
}

// factsOf is when and with what a photo was taken, for people.
func factsOf(p *tracker.Photo) string {
	var facts []string
	if t, _, err := tracker.ParseTaken(p.Taken); err == nil {
		facts = append(facts, t.Format("2 January 2006, 15:04"))
	}
	if p.Camera != "" {
		facts = append(facts, p.Camera)
	}
	return strings.Join(facts, ", ")
}

func (h *htmlExport) write(first *export.File) error {
	show := newExportProgress()
	defer show.end()
	for page := 1; page <= h.gallery.Pages(); page++ {
		if err := h.writePage(page, first, show); err != nil {
			return err
		}
	}
	// The first page comes last, so that what it leads to is there.
	if err := first.Commit(h.ctx); err != nil {
		return err
	}
	if h.folder == "" {
		return nil
	}
	return errors.Join(h.removePages(), h.removePictures())
}

// writePage writes a page; the first one is begun already, and not ended.
func (h *htmlExport) writePage(page int, first *export.File, show *exportProgress) (err error) {
	f := first
	if page > 1 {
		if f, err = export.Create(h.ctx, h.ledger, filepath.Join(h.folder, gallery.PageName(page)), h.flags.force); err != nil {
			return err
		}
		defer f.Discard()
	}
	pictures, err := h.pictures(page, show)
	if err != nil {
		return err
	}
	begin, _ := h.gallery.OnPage(page)
	err = h.gallery.Write(f, page, func(i int, _ gallery.Photo) (gallery.Picture, error) { return pictures[i-begin], nil })
	if err != nil || page == 1 {
		return err
	}
	return f.Commit(h.ctx)
}

// removePages removes pages of an earlier gallery that had more.
func (h *htmlExport) removePages() error {
	for page := h.gallery.Pages() + 1; ; page++ {
		path := filepath.Join(fsutil.Resolve(h.folder), gallery.PageName(page))
		sum, err := export.SumFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if ours, err := h.ledger.Ours(h.ctx, path, sum); err != nil || !ours {
			return err
		}
		if err := errors.Join(os.Remove(path), h.ledger.Forget(h.ctx, path)); err != nil {
			return err
		}
	}
}

func (h *htmlExport) say() error {
	if !ui.Quiet() {
		fmt.Fprintf(os.Stderr, "%s written to %s, on %s\n", wording.Count(h.gallery.Photos.Len(), "photo"), tracker.EncodePath(h.flags.output), wording.Count(h.gallery.Pages(), "page"))
	}
	if h.missing > 0 {
		fmt.Fprintf(os.Stderr, "%s without a picture: %s\n", wording.Count(h.missing, "photo"), h.example)
	}
	return nil
}
