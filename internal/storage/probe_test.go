package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"photodesc/internal/photo/vips"
	"photodesc/pool"
)

func TestProbe(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "photos")
	names := numbered("photo", 20)
	fill := func() {
		if err := os.MkdirAll(root, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			if err := os.WriteFile(filepath.Join(root, n), []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill()
	p := Probe{Root: root, MountPoints: NewMountPoints(root), Photos: names, AnyDescribed: func() bool { return true }, Readable: vips.Readable, Timeout: time.Minute}
	check := func(want string) {
		t.Helper()
		err := p.Check(names[3])
		var away *pool.UnavailableError
		got := "this one"
		switch {
		case err == nil:
			got = "readable"
		case errors.As(err, &away):
			got = "unavailable"
		}
		if got != want {
			t.Errorf("%s (%v), want %s", got, err, want)
		}
	}
	check("readable")
	os.Remove(filepath.Join(root, names[3]))
	check("this one")
	os.Rename(root, root+" away")
	check("unavailable")
	os.Mkdir(root, 0o700) // the mount point
	check("unavailable")
	fill() // the same photos on a disk that was mounted again
	os.Remove(filepath.Join(root, names[3]))
	check("this one")
	os.RemoveAll(root)
	check("unavailable")
	os.Rename(root+" away", root)
	check("this one")
	for _, n := range names {
		os.Remove(filepath.Join(root, n))
	}
	check("this one") // somebody has cleared the folder
	p.Photos = nil
	check("this one")
}

// A photo that hangs while others can be read is a bad photo. If all hang, so does
// Check.
func TestProbeHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names, root, release := numbered("photo", 20), t.TempDir(), make(chan struct{})
		probe := func(hangs func(name string) bool) Probe {
			return Probe{Root: root, Photos: names, AnyDescribed: func() bool { return true }, Timeout: ReadTimeout,
				Readable: func(path string) error {
					if hangs(filepath.Base(path)) {
						<-release
					}
					return nil
				}}
		}
		began := time.Now()
		one := probe(func(name string) bool { return name == names[3] })
		if err := one.Check(names[3]); err != errTimeout || time.Since(began) != ReadTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		only := probe(func(name string) bool { return name == names[3] })
		only.Photos = names[3:4]
		if err := only.Check(names[3]); err != errTimeout {
			t.Errorf("the only photo hangs: %v", err)
		}
		all := probe(func(string) bool { return true })
		answer := make(chan error)
		go func() { answer <- all.Check(names[3]) }()
		select {
		case err := <-answer:
			t.Errorf("all hang: %v", err)
		case <-time.After(time.Hour):
		}
		close(release)
		<-answer
	})
}

// numbered are names of photos of one kind.
func numbered(kind string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("%s-%04d.jpg", kind, i+1))
	}
	return names
}
