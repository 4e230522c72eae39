package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/ui"
	"photodesc/tracker"
)

// This file finds the photos that describe was given.

// stdinName is how a person gives a photo on standard input.
const stdinName = "-"

// maxPiped is the largest photo in bytes that may come through a pipe: it is put into a file, because decoders seek.
const maxPiped = 1 << 30

// describedFile is one argument of describe.
type describedFile struct {
	name string          // as given
	rel  string          // its path below "/", uncleaned; empty if it cannot be opened
	rec  *tracker.Record // once it is described or has failed
}

// findFiles looks at the arguments. What comes through pipes is put into files below d.temp.
func (d *describer) findFiles(ctx context.Context, names []string) error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	for i, name := range names {
		f := &describedFile{name: name}
		d.files = append(d.files, f)
		path := name
		if name != stdinName && !strings.HasPrefix(name, "/") {
			path = wd + "/" + name // not cleaned: with links "a/../b" need not be "b"
		}
		if path, err = d.findFile(ctx, i, path); err != nil {
			if ctx.Err() != nil || ui.ExitCode(err) == ui.ExitUsage {
				return err
			}
			d.fail(f, tracker.Unreadable, err.Error())
			continue
		}
		f.rel = strings.TrimPrefix(path, "/")
	}
	return nil
}

func (d *describer) findFile(ctx context.Context, i int, path string) (string, error) {
	if path == stdinName {
		if d.stdinTaken {
			return "", ui.UsageError("- is given twice, but there is one standard input")
		}
		d.stdinTaken = true
		if term.IsTerminal(int(os.Stdin.Fd())) {
			return "", ui.UsageError("- is a photo on standard input, which is a terminal here\n  give it a photo: photodesc describe - <photo.jpg")
		}
		return d.spool(ctx, i, "standard input", func() (io.ReadCloser, error) { return os.Stdin, nil })
	}
	info, err := os.Stat(path)
	switch {
	case d.files[i].name == "":
		return "", errors.New("the name is empty; is a variable not set?")
	case errors.Is(err, fs.ErrNotExist) && fsutil.IsBucket(d.files[i].name):
		return "", fmt.Errorf("photos in a bucket are described by: %s", ui.CommandLine("", "run", "s3://BUCKET/PREFIX"))
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("there is no such file")
	case err != nil:
		return "", photo.Reason(err)
	case info.IsDir():
		return "", fmt.Errorf("it is a folder; its photos are described by: %s", ui.CommandLine("", "run", d.files[i].name))
	case info.Mode()&fs.ModeNamedPipe != 0:
		return d.spool(ctx, i, "the pipe", func() (io.ReadCloser, error) { return os.Open(path) })
	case !info.Mode().IsRegular():
		return "", errors.New("it is no file")
	}
	return path, nil
}

// spool copies what comes through a pipe into a file of its own.
func (d *describer) spool(ctx context.Context, i int, what string, open func() (io.ReadCloser, error)) (string, error) {
	if d.temp == "" {
		temp, err := fsutil.MkdirTemp("photodesc-describe-")
		if err != nil {
			return "", fmt.Errorf("there is no place for a temporary file: %w; name another folder with TMPDIR", err)
		}
		d.temp = temp
	}
	path := filepath.Join(d.temp, fmt.Sprintf("photo-%d", i+1))
	done := make(chan error, 1)
	go func() { done <- copyPiped(path, what, open) }()
	select {
	case <-ctx.Done(): // a pipe may never end
		return "", ctx.Err()
	case err := <-done:
		return path, err
	}
}

func copyPiped(path, what string, open func() (io.ReadCloser, error)) error {
	in, err := open()
	if err != nil {
		return photo.Reason(err)
	}
	defer in.Close()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, io.LimitReader(in, maxPiped+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s cannot be copied into a temporary file: %w", what, err)
	}
	switch {
	case n == 0:
		return fmt.Errorf("nothing came through %s", what)
	case n > maxPiped:
		return fmt.Errorf("more than 1 GiB comes through %s; give the photo as a file", what)
	}
	return nil
}

// longestRead bounds the paths that a worker is told in its environment, in bytes: the system takes 128 KiB for a variable.
const longestRead = 64 << 10

// readable are what workers may read: the photos alone or, if they are too many to be named or sidecars are wanted, the folders they are in.
func (d *describer) readable() ([]string, error) {
	files, folders := map[string]bool{}, map[string]bool{}
	sets := []map[string]bool{files, folders}
	if d.run.set.Ask.Context.InSidecars() {
		sets = sets[1:] // whose photo a sidecar is, the names beside it say
	}
	for _, f := range d.files {
		if f.rel == "" {
			continue
		}
		real, err := filepath.EvalSymlinks("/" + f.rel)
		if err != nil {
			real = "/" + f.rel // it has just gone: the worker says so
		}
		files[real], folders[filepath.Dir(real)] = true, true
	}
	for _, set := range sets {
		list, bytes := []string{}, 0
		for path := range set {
			list = append(list, path)
			bytes += 2*len(path) + 8
		}
		if bytes <= longestRead {
			return list, nil
		}
	}
	return nil, ui.UsageError("these are too many folders for describe\n  `photodesc run` describes all photos of a folder, however many there are")
}
