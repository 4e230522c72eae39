package models

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"photodesc/internal/models/gguf"
	"photodesc/internal/models/hub"
)

var connect = hub.FromEnvironment // tests replace it to wait for less time

// fetch fetches the missing files.
func (w *Wanted) fetch(ctx context.Context, p hub.Progress) error {
	if p == nil {
		p = silent{}
	}
	if hub.Offline() {
		return w.offline("HF_HUB_OFFLINE is set")
	}
	c, err := connect()
	if err != nil {
		return err
	}
	if w.parts[0] == "" {
		if err := w.list(ctx, c); err != nil {
			return err
		}
	}
	if err := w.download(ctx, c, p); err != nil {
		if hub.Unreachable(err) && ctx.Err() == nil {
			return w.offline(err.Error())
		}
		return err
	}
	return nil
}

// list asks the hub which files the repository has, and chooses two.
func (w *Wanted) list(ctx context.Context, c *hub.Client) error {
	files, err := c.List(ctx, w.repo)
	if err != nil {
		if hub.Unreachable(err) && ctx.Err() == nil {
			return w.offline(err.Error())
		}
		return err
	}
	var names []string
	for _, f := range files {
		names = append(names, f.Path)
	}
	text, vision := choose(names, w.weightType)
	switch {
	case text == "" && w.weightType != "":
		return fmt.Errorf("%s has no GGUF model of the type %s\n  it has: %s", w.repo, w.weightType, typesOf(names))
	case text == "":
		return fmt.Errorf("%s has no GGUF model; a repository with GGUF files is often named …-GGUF", w.repo)
	case vision == "":
		return fmt.Errorf("%s has no vision file (mmproj-…), without which a model cannot see pictures", w.repo)
	}
	w.parts = [2]string{text, vision}
	w.locate()
	return nil
}

func typesOf(names []string) string {
	var types []string
	for _, n := range names {
		if t := typeOf(n); t != "" && !strings.Contains(strings.ToLower(n), "mmproj") {
			types = append(types, t)
		}
	}
	if len(types) == 0 {
		return "none"
	}
	return strings.Join(types, ", ")
}

// download fetches the missing files, after checking that the disk has space for all.
func (w *Wanted) download(ctx context.Context, c *hub.Client, p hub.Progress) error {
	need, dir := int64(0), ""
	paths := []*string{&w.Text, &w.Vision}
	for i, file := range w.parts {
		if *paths[i] != "" {
			continue
		}
		dst, err := w.target(file)
		if err != nil {
			return err
		}
		f, err := c.Stat(ctx, w.repo, file)
		if err != nil {
			return err
		}
		need += max(f.Size-hub.Partial(dst), 0)
		dir = filepath.Dir(dst)
	}
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the folder for models cannot be made: %w\n  name another with PHOTODESC_MODELS", err)
	}
	if err := hub.CheckSpace(dir, need); err != nil {
		return err
	}
	for i, file := range w.parts {
		if *paths[i] != "" {
			continue
		}
		dst, _ := w.target(file)
		if err := c.Fetch(ctx, w.repo, file, dst, p); err != nil {
			return err
		}
		*paths[i] = dst
	}
	return nil
}

// offline returns the error for a model that is not on this machine and cannot be fetched.
func (w *Wanted) offline(why string) error {
	if w.parts[0] == "" {
		return fmt.Errorf("model %s is not on this machine and cannot be fetched: %s\n  try again with a network, or use --model builtin, which needs none", w.Name, why)
	}
	var names []string
	dir := ""
	for i, at := range []string{w.Text, w.Vision} {
		if at == "" {
			names = append(names, w.parts[i])
			if dst, err := w.target(w.parts[i]); err == nil {
				dir = filepath.Dir(dst)
			}
		}
	}
	them := "it"
	if len(names) > 1 {
		them = "them"
	}
	address := "https://huggingface.co/" + w.repo
	if c, err := hub.FromEnvironment(); err == nil {
		address = c.Address(w.repo, "")
	}
	return fmt.Errorf("model %s is not on this machine and cannot be fetched: %s\n"+
		"  get %s\n  from %s\n  on another machine and put %s into %q,\n"+
		"  or use --model builtin, which needs no network", w.Name, why, strings.Join(names, " and "), address, them, dir)
}

// Pull fetches a model by its name. Files that are on this machine are compared with
// the SHA-256 that the hub stated when they were fetched, and fetched again if they
// are damaged. say is called with a sentence about each of them.
func Pull(ctx context.Context, model string, opt Options, say func(string)) (Files, error) {
	w, err := Find(model, "")
	if err != nil {
		return Files{}, err
	}
	for i, at := range []*string{&w.Text, &w.Vision} {
		if *at == "" || w.repo == "" {
			continue
		}
		if ok, err := w.intact(ctx, *at, say); err != nil {
			return Files{}, err
		} else if ok {
			continue
		}
		if err := w.discard(*at); err != nil {
			return Files{}, err
		}
		*at = locate(w.repo, w.parts[i])
	}
	return w.Get(ctx, Options{Progress: opt.Progress})
}

// intact tells whether a file is as it was fetched.
func (w *Wanted) intact(ctx context.Context, path string, say func(string)) (bool, error) {
	if _, err := gguf.Open(path); err != nil {
		say(fmt.Sprintf("%s is damaged: %v", path, err))
		return false, nil
	}
	intact, known, err := hub.Intact(ctx, path)
	switch {
	case err != nil:
		return false, err
	case known && !intact:
		say(fmt.Sprintf("%s is damaged: its SHA-256 has changed since it was fetched", path))
	case known:
		say(fmt.Sprintf("%s is here, and intact", path))
	default:
		say(fmt.Sprintf("%s is here", path))
	}
	return intact || !known, nil
}

// discard removes a damaged file if photodesc fetched it.
func (w *Wanted) discard(path string) error {
	for _, file := range w.parts {
		for _, p := range places(w.repo, file) {
			if p.ours && p.path == path {
				return os.Remove(path)
			}
		}
	}
	return fmt.Errorf("%q is damaged and belongs to another program\n  remove it and try again", path)
}

// silent ignores the progress of downloads.
type silent struct{}

func (silent) Begin(hub.File, int64)              {}
func (silent) At(int64)                           {}
func (silent) Retry(string, error, time.Duration) {}
func (silent) Wait(string)                        {}
func (silent) End(string, error)                  {}
