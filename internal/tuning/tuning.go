// Package tuning keeps what `photodesc bench --threads-sweep` has measured on this
// machine, in the user's cache folder: for each model the number of workers and of
// threads with which photos are described fastest.
package tuning

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
	"photodesc/internal/machine"
)

// Key is what a result holds for.
type Key struct {
	Model   string `json:"model"` // fingerprint of its files
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Version string `json:"version"` // of the program
}

// Here is the key of a model on this machine.
func Here(fingerprint, version string) Key {
	return Key{Model: fingerprint, CPU: machine.CPUModel(), Cores: machine.CPUs(), Version: version}
}

// Result is the fastest shape.
type Result struct {
	Key
	Name       string    `json:"name"` // of the model
	Workers    int       `json:"workers"`
	Threads    int       `json:"threads"` // of each worker
	PhotosHour float64   `json:"photos_per_hour"`
	Time       time.Time `json:"time"`
}

// most bounds the workers and threads of a result, and maxSize the bytes of a file.
const (
	most    = 4096
	maxSize = 64 << 10
)

// Dir is the folder of the results.
func Dir() (string, error) { return fsutil.CacheDir("threads") }

func path(fingerprint string) (string, error) {
	dir, err := Dir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, fingerprint+".json"), nil
}

// Load returns the result for k. Its error is fs.ErrNotExist if nothing was
// measured, and otherwise says why what is there does not hold.
func Load(k Key) (Result, error) {
	name, err := path(k.Model)
	if err != nil {
		return Result{}, fs.ErrNotExist // nowhere to look
	}
	return read(name, k)
}

func read(name string, k Key) (r Result, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return r, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSize {
		return r, fmt.Errorf("%q is damaged", name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return r, err
	}
	if json.Unmarshal(b, &r) != nil || r.Workers < 1 || r.Threads < 1 || r.Workers > most || r.Threads > most {
		return Result{}, fmt.Errorf("%q is damaged", name)
	}
	switch {
	case r.Version != k.Version:
		err = fmt.Errorf("it was measured with version %q", r.Version)
	case r.CPU != k.CPU:
		err = fmt.Errorf("it was measured on another CPU, %q", r.CPU)
	case r.Cores != k.Cores:
		err = fmt.Errorf("it was measured on another number of cores, %d", r.Cores)
	case r.Model != k.Model:
		err = errors.New("it was measured with another model")
	}
	return r, err
}

// Save keeps a result for later runs.
func (r Result) Save() error {
	name, err := path(r.Model)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return durable.WriteFile(name, append(b, '\n'), 0o644)
}

// Kept is a result on the disk, and why it does not hold for this version on this
// machine; nil if it does.
type Kept struct {
	Result
	Err error
}

// List returns all results, in the order of their models' names.
func List(version string) []Kept {
	dir, err := Dir()
	if err != nil {
		return nil
	}
	files, _ := os.ReadDir(dir)
	var all []Kept
	for _, f := range files {
		if fingerprint, ok := strings.CutSuffix(f.Name(), ".json"); ok {
			r, err := read(filepath.Join(dir, f.Name()), Here(fingerprint, version))
			all = append(all, Kept{r, err})
		}
	}
	slices.SortFunc(all, func(a, b Kept) int { return strings.Compare(a.Name, b.Name) })
	return all
}
