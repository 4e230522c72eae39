package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"photodesc/internal/fsutil"
	"photodesc/internal/ui"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/tracker"
)

// modelPatience is how long describing the test picture may take.
const modelPatience = 3 * time.Minute

// checkModel has the real program describe a picture it knows, with the
// built-in model, and looks whether the words are right.
func checkModel(patience time.Duration) (string, error) {
	tmp, err := fsutil.MkdirTemp("photodesc-doctor-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	photos, work := filepath.Join(tmp, "photos"), filepath.Join(tmp, "work")
	if err := errors.Join(os.Mkdir(photos, 0o700), os.Mkdir(work, 0o700)); err != nil {
		return "", err
	}
	if err := writeTestPicture(filepath.Join(photos, "picture.png")); err != nil {
		return "", err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := worker.ContextCommand(limited, exec.Command(self, "-C", work, "run", "--no-config", "--model", "builtin", photos))
	cmd.Args[0] = "photodesc"
	cmd.WaitDelay = time.Second // its workers have its output open and end after it
	if out, err := cmd.CombinedOutput(); limited.Err() != nil {
		return "", fmt.Errorf("a test picture was not described within %s, which takes seconds\n"+
			"the machine is very busy, or a driver or a disk hangs\n%s", ui.Spell(patience), wording.LastLines(string(out), 5))
	} else if err != nil {
		return "", fmt.Errorf("describing a test picture failed: %w\n%s", err, wording.LastLines(string(out), 5))
	}
	rec, err := onlyRecord(work)
	if err != nil {
		return "", err
	}
	text := strings.ToLower(rec.Description)
	for _, word := range testPictureWords {
		if !strings.Contains(text, word) {
			return "", fmt.Errorf("the built-in model describes a red circle on white as %q\n"+
				"the arithmetic of this machine or its compute device is not to be trusted: update the driver, or build without it", rec.Description)
		}
	}
	return fmt.Sprintf("%q in %.1f s: right", rec.Description, rec.Seconds.Total), nil
}

var testPictureWords = []string{"red", "circle", "white"}

// onlyRecord reads the one result of a workdir.
func onlyRecord(work string) (rec tracker.Record, err error) {
	files, err := filepath.Glob(filepath.Join(work, tracker.OutputsName, "*.jsonl"))
	if err != nil || len(files) != 1 {
		return rec, fmt.Errorf("the test run left %d result files, want 1", len(files))
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		return rec, err
	}
	return rec, json.Unmarshal(b, &rec)
}

// writeTestPicture draws a red circle in the middle of a white page.
func writeTestPicture(path string) error {
	const w, h, r = 320, 240, 70
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	const fine = 4 // each pixel is the average of fine×fine points
	for y := range h {
		for x := range w {
			inside := 0
			for i := range fine * fine {
				dx := float64(x) + (float64(i%fine)+0.5)/fine - w/2
				dy := float64(y) + (float64(i/fine)+0.5)/fine - h/2
				if dx*dx+dy*dy < r*r {
					inside++
				}
			}
			v := uint8(255 - 255*inside/(fine*fine))
			img.Set(x, y, color.RGBA{uint8(255 - 35*inside/(fine*fine)), v, v, 255})
		}
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}
