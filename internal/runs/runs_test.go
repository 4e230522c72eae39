package runs

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"photodesc/internal/fsutil"
)

// ownCache gives the test a cache folder of its own.
func ownCache(t *testing.T) string {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	folder, err := Folder()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func workdirs(t *testing.T, now time.Time) (dirs []string) {
	entries, err := List(now)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		dirs = append(dirs, filepath.Base(e.Workdir))
	}
	return dirs
}

func add(t *testing.T, workdir, root string, at time.Time) {
	t.Helper()
	if err := Add(workdir, root, at); err != nil {
		t.Fatal(err)
	}
}

func TestList(t *testing.T) {
	folder := ownCache(t)
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	if got := workdirs(t, now); got != nil {
		t.Fatalf("before any run: %q", got)
	}
	dir := t.TempDir()
	add(t, filepath.Join(dir, "a"), "/photos", now.Add(-3*time.Hour))
	add(t, filepath.Join(dir, "b"), "/photos", now.Add(-2*time.Hour))
	add(t, filepath.Join(dir, "old"), "/photos", now.Add(-keepFor-time.Hour))
	add(t, filepath.Join(dir, "a"), "/others", now.Add(-time.Hour))

	// What no run has written is passed over.
	for name, text := range map[string]string{
		"damaged.json": `{"workdir":`, "empty.json": "", "relative.json": `{"workdir":"x","root":"y"}`, "note.txt": "hello",
		"moved.json": `{"workdir":"/w","root":"/r","host":"elsewhere"}`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, want := workdirs(t, now), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("workdirs %q, want %q", got, want)
	}
	entries, _ := List(now)
	if entries[0].Root != "/others" {
		t.Errorf("photo folder %q, want the last run's", entries[0].Root)
	}
	if _, err := os.Stat(filepath.Join(folder, "damaged.json")); err != nil {
		t.Errorf("a file that is not ours is gone: %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	if len(files) != 7 { // two entries, four strange files, a folder
		t.Errorf("%d files, want 7: the old one removed", len(files))
	}
}

func TestAddWithoutCache(t *testing.T) {
	folder := ownCache(t)
	parent := filepath.Dir(filepath.Dir(folder))
	if err := os.MkdirAll(filepath.Dir(parent), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(parent, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Add("/w", "/r", time.Now()); err == nil {
		t.Error("no error where the cache folder is a file")
	}
}

func TestOverlap(t *testing.T) {
	dir := t.TempDir()
	photos := filepath.Join(dir, "photos")
	if err := os.MkdirAll(filepath.Join(photos, "2024"), 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if runtime.GOOS != "windows" {
		if err := os.Symlink(photos, link); err != nil {
			t.Fatal(err)
		}
	}
	photos = fsutil.Resolve(photos)
	entries := []Entry{{Workdir: "/w1", Root: photos}, {Workdir: "/w2", Root: filepath.Join(photos, "2024")}, {Workdir: "/w3", Root: photos + "2"}}
	for _, c := range []struct {
		name, workdir, root string
		want                []string
	}{
		{"same folder", "/mine", photos, []string{"/w1", "/w2"}},
		{"through a link", "/mine", link, []string{"/w1", "/w2"}},
		{"its own workdir", "/w1", photos, []string{"/w2"}},
		{"below", "/mine", filepath.Join(photos, "2024", "may"), []string{"/w1", "/w2"}},
		{"beside", "/mine", filepath.Join(photos, "2023"), []string{"/w1"}},
		{"a longer name", "/mine", photos + "2", []string{"/w3"}},
		{"all", "/mine", "/", []string{"/w1", "/w2", "/w3"}},
		{"dots in a name", "/mine", photos + "/..x", []string{"/w1"}},
	} {
		var got []string
		for _, e := range Overlap(entries, c.workdir, c.root) {
			got = append(got, e.Workdir)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
