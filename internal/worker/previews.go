package worker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/photo/vips"
	"photodesc/internal/preview"
	"photodesc/internal/ui"
	"photodesc/llm"
)

// servePreviews runs a worker that makes previews instead of descriptions: no model is loaded.
func servePreviews(config Config) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM)
	syscall.CloseOnExec(preview.RequestFD)
	syscall.CloseOnExec(preview.AnswerFD)
	debug.SetGCPercent(20)
	if err := vips.Startup(vips.StartupOptions{Untrusted: config.Untrusted}); err != nil {
		return err
	}
	protect(config, false)

	// Requests are read on the side, so that the end of the program is noticed while C is busy.
	in, pipe := io.Pipe()
	go func() {
		_, _ = io.Copy(pipe, os.NewFile(preview.RequestFD, "requests"))
		os.Exit(ui.ExitOK)
	}()
	made := 0
	return preview.Serve(in, os.NewFile(preview.AnswerFD, "answers"), func(r preview.Request) ([]byte, error) {
		if made++; made%trimInterval == 0 {
			llm.Trim()
			debug.FreeOSMemory()
		}
		path := fsutil.Join(string(config.Root), string(r.Path))
		if r.Facts {
			return fileFacts(path)
		}
		img, err := vips.Decode(path, vips.Options{Longest: r.Longest, MaxBytes: config.MaxBytes})
		if bad := (*photo.Error)(nil); errors.As(err, &bad) {
			return nil, fmt.Errorf("%w", bad.Err)
		}
		if err != nil {
			return nil, err
		}
		return img.JPEG(r.Longest, r.Quality)
	})
}
