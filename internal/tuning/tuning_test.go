package tuning

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestKept(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	key := Here("f00d", "v1")
	if _, err := Load(key); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing measured: %v", err)
	}
	want := Result{Key: key, Name: "m", Workers: 3, Threads: 2, PhotosHour: 1000, Time: time.Unix(1000, 0).UTC()}
	if err := want.Save(); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(key); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if list := List("v1"); len(list) != 1 || list[0].Result != want || list[0].Err != nil {
		t.Errorf("%+v", list)
	}
	if list := List("v2"); len(list) != 1 || list[0].Err == nil {
		t.Errorf("of another version: %+v", list)
	}
	for _, test := range []struct {
		change func(*Key)
		want   string
	}{
		{func(k *Key) { k.Version = "v2" }, `version "v1"`},
		{func(k *Key) { k.CPU = "x" }, "another CPU"},
		{func(k *Key) { k.Cores++ }, "another number of cores"},
	} {
		k := key
		test.change(&k)
		if _, err := Load(k); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v", k, err)
		}
	}
}

// What is no result is never taken for one.
func TestDamaged(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	key := Here("f00d", "v1")
	good := Result{Key: key, Workers: 3, Threads: 2}
	if err := good.Save(); err != nil {
		t.Fatal(err)
	}
	dir, err := Dir()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "f00d.json")
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "{}", string(whole[:len(whole)/2]), "[1]", strings.Replace(string(whole), `"workers": 3`, `"workers": 0`, 1),
		strings.Replace(string(whole), `"threads": 2`, `"threads": -2`, 1), strings.Replace(string(whole), `"workers": 3`, `"workers": 1e6`, 1),
		strings.Replace(string(whole), "f00d", "beef", 1), strings.Repeat(" ", maxSize) + string(whole)} {
		if err := os.WriteFile(name, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if r, err := Load(key); err == nil {
			t.Errorf("%.40q is taken for %+v", bad, r)
		}
	}
	os.Remove(name)
	if err := os.Mkdir(name, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(key); err == nil {
		t.Error("a folder is taken for a result")
	}
}
