package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/shirou/gopsutil/v3/disk"
	"github.com/spf13/pflag"

	"photodesc/internal/config"
	"photodesc/internal/models"
	"photodesc/internal/ui"
)

// outlookPatience is how long asking the hub may take.
const outlookPatience = 15 * time.Second

// checkRunModel tells of the model that a run in the workdir takes when it is given no flags: is it here, or what would
// have to be fetched, and does it fit?
func checkRunModel(dir string) (string, error) {
	var f config.Flags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Register(set)
	_, s, err := f.Configure(dir, set)
	if err != nil {
		return "", err
	}
	w, err := models.Find(f.Model, f.Mmproj)
	if err != nil {
		return "", err
	}
	if err := fitsLibrary(f.Model, w); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), outlookPatience)
	defer cancel()
	fits := fmt.Sprintf("fits into the %s of memory that a run may use", humanize.IBytes(s.Memory))
	if w.Here() {
		files, err := w.Get(ctx, models.Options{Memory: s.Memory, Unchecked: f.Unchecked})
		if err != nil {
			return "", unknownModel(err)
		}
		return fmt.Sprintf("%s is here, in %s, and %s", files.Name, ui.AtHome(filepath.Dir(files.Text)), fits), nil
	}
	o := w.Outlook(ctx)
	if o.Needs > s.Memory {
		return "", modelTooLarge(w.Name, o.Needs, s.Memory)
	}
	return absentModel(w.Name, o, fits)
}

func modelTooLarge(name string, needs, budget uint64) error {
	hint := "give more with --memory"
	if small := models.Smaller(budget); small != "" {
		hint = "take a smaller one: photodesc run --model " + small + " DIR"
	}
	return fmt.Errorf("%s needs about %s of memory, and a run may use %s here\n%s", name, humanize.IBytes(needs), humanize.IBytes(budget), hint)
}

// absentModel says what becomes of a model that is not here.
func absentModel(name string, o models.Outlook, fits string) (string, error) {
	if o.Dir == "" {
		return "", o.Problem
	}
	size := "what it has"
	if o.Left >= 0 {
		size = humanize.Bytes(uint64(o.Left))
		if free, err := freeFor(o.Dir); err == nil && free < uint64(o.Left) {
			return "", fmt.Errorf("%s is not here; it takes %s, and %s has %s free\nmake room, or name another folder with PHOTODESC_MODELS",
				name, size, ui.AtHome(o.Dir), humanize.Bytes(free))
		}
	}
	text := fmt.Sprintf("%s is not here: the first run fetches %s to %s", name, size, ui.AtHome(o.Dir))
	if o.Needs > 0 {
		text += "\nit " + fits + ", and onto that disk"
	}
	switch {
	case errors.Is(o.Problem, models.ErrOffline):
		text += "\nHF_HUB_OFFLINE is set, so it would not be fetched"
	case o.Problem != nil:
		text += fmt.Sprintf("\nthe hub cannot be asked now: %v\nwithout it: run --model builtin, or --model FILE.gguf --mmproj FILE", o.Problem)
	case o.Time() > 0:
		text += fmt.Sprintf("\nabout %s at the %s/s that %s sends now; `photodesc models pull %s` fetches it now",
			ui.Spell(max(o.Time().Round(time.Second), time.Second)), humanize.Bytes(uint64(o.Speed)), o.Host, name)
	default:
		text += fmt.Sprintf("\nthe line was not measured; `photodesc models pull %s` fetches it now", name)
	}
	return "", note{text}
}

// freeFor is what the disk has free that a folder will lie on, in bytes.
func freeFor(dir string) (uint64, error) {
	u, err := disk.Usage(nearestFolder(dir))
	if err != nil {
		return 0, err
	}
	return u.Free, nil
}

// nearestFolder is the folder itself or the nearest above it that is there.
func nearestFolder(dir string) string {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
	}
}
