package main

import (
	"os"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"photodesc/internal/config"
	"photodesc/internal/ui"
	"photodesc/pool"
	"photodesc/tracker"
)

// A photo that comes twice, however that may happen, ends no run.
func TestPhotoTwice(t *testing.T) {
	dir := t.TempDir()
	track, err := tracker.Open(dir, tracker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer track.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var flags config.Flags
	flags.Register(pflag.NewFlagSet("", pflag.ContinueOnError))
	set, err := flags.Check()
	if err != nil {
		t.Fatal(err)
	}
	core, logged := observer.New(zap.WarnLevel)
	r := &runner{track: track, source: folderPhotos("/"), set: set, logs: logs{log: zap.New(core), detail: zap.NewNop(), show: ui.NewProgress(null)}}
	r.folds.say = func(text string) { r.log.Warn(text) }
	r.show.Begin(track.Live().Progress)
	first := []byte(`{"path":"a.jpg","status":"ok","description":"A dog.","finish":"stop","tokens":3,"tiles":1,"width":1,"height":1}`)
	for _, res := range []pool.Result{
		{Path: "a.jpg", Data: first, Attempts: 1},
		{Path: "a.jpg", Data: first, Attempts: 1},
		{Path: "a.jpg", Failure: &pool.Failure{Kind: "timeout", Message: "too long"}, Attempts: 2},
	} {
		if err := r.keep(res); err != nil {
			t.Fatal(err)
		}
	}
	if c := track.Counts(); c.Done != 1 || c.Failed != 0 {
		t.Errorf("%+v", c)
	}
	if n := logged.FilterMessageSnippet("came twice").Len(); n != 2 {
		t.Errorf("said %d times", n)
	}
	data, err := os.ReadFile(dir + "/" + tracker.ProgressName)
	if err != nil || strings.Count(string(data), "\n") != 1 {
		t.Errorf("%q, %v", data, err)
	}
	// What cannot be written does.
	track.Close()
	if err := r.keep(pool.Result{Path: "b.jpg", Data: first, Attempts: 1}); err == nil {
		t.Error("a closed tracker is no error")
	}
}
