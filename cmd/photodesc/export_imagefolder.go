package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"photodesc/internal/export"
	"photodesc/internal/fsutil"
	"photodesc/internal/wording"
	"photodesc/tracker"

	"github.com/spf13/pflag"
)

var imagefolderFormat = exportFormat{
	name: "imagefolder", short: "The metadata.jsonl of Hugging Face's imagefolder",
	long: `Writes metadata.jsonl, with which the library datasets reads a folder of photos and
their captions: a line for each photo with file_name, text and keywords. It belongs
into the photo folder, or into one above it. Photos that are not there any more are
left out.`,
	example: "  photodesc export imagefolder -o ~/Pictures/metadata.jsonl",
	flags: func(f *exportFlags, set *pflag.FlagSet) {
		f.toFile(set)
		f.caption(set)
	},
	check: func(f *exportFlags) error { return f.checkCaption() },
	run:   (*exporter).exportImageFolder,
}

func (x *exporter) exportImageFolder() error {
	root, err := x.photoFolder()
	if err != nil {
		return err
	}
	before := ""
	if x.flags.output != "" {
		if before, err = filepath.Rel(fsutil.Resolve(filepath.Dir(absolute(x.flags.output))), fsutil.Resolve(root)); err != nil {
			return err
		}
	}
	if x.flags.output != "" && (strings.HasPrefix(before, "..") || filepath.Base(x.flags.output) != export.ImageFolderName) {
		fmt.Fprintf(os.Stderr, "photodesc: datasets reads the file where it is called %s and is in the photo folder or above it\n", export.ImageFolderName)
	}
	gone, missing, notText := 0, 0, 0
	err = x.toFile(func(w io.Writer) (func(*tracker.Photo) error, func() error, error) {
		out := export.NewImageFolder(w, before)
		return func(r *tracker.Photo) error {
			text := x.flags.captionForm.Text(r)
			if text == "" {
				missing++
				return errLeftOut
			}
			if _, err := os.Stat(fsutil.Join(root, r.Path)); errors.Is(err, fs.ErrNotExist) {
				gone++
				return errLeftOut
			}
			err := out.Write(r, text)
			if errors.Is(err, export.ErrNotUTF8) {
				notText++
				return errLeftOut
			}
			return err
		}, nil, nil
	})
	for _, line := range []struct {
		n    int
		text string
	}{{missing, "without a text of this form"}, {gone, "not there any more"}, {notText, "with a path that is not UTF-8"}} {
		if line.n > 0 && err == nil {
			fmt.Fprintf(os.Stderr, "%s left out: %s\n", wording.Count(line.n, "photo"), line.text)
		}
	}
	return err
}
