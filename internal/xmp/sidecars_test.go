package xmp

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func nothingInside(string) (Embedded, error) { return Embedded{}, nil }

// folder makes a folder with files: photos by name, and what is beside them.
func folder(t *testing.T, files map[string]string) (string, *Sidecars) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir, In(dir, Options{Inside: nothingInside})
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// listed are the names in a folder.
func listed(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func wrote(t *testing.T, s *Sidecars, path string, text Text, want Outcome) {
	t.Helper()
	if got, err := s.Write(path, text); got != want || err != nil {
		t.Fatalf("%s: outcome %d, %v, want %d", path, got, err, want)
	}
}

// TestFiles makes, changes and removes a sidecar.
func TestFiles(t *testing.T) {
	dir, s := folder(t, map[string]string{"a.jpg": "photo"})
	dry := In(dir, Options{Inside: nothingInside, DryRun: true})
	wrote(t, dry, "a.jpg", sea, Made)
	wrote(t, s, "gone.jpg", sea, Gone)
	wrote(t, s, "a.jpg", Text{}, Unchanged)
	if names := listed(t, dir); !slices.Equal(names, []string{"a.jpg"}) {
		t.Fatal(names)
	}
	wrote(t, s, "a.jpg", sea, Made)
	wrote(t, s, "a.jpg", sea, Unchanged)
	info, err := os.Stat(filepath.Join(dir, "a.jpg.xmp"))
	if err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("a new sidecar has %v, its photo 0640, %v", info.Mode(), err)
	}
	other := sea
	other.Description = "Another"
	wrote(t, dry, "a.jpg", other, Changed)
	wrote(t, s, "a.jpg", other, Changed)
	if got, err := s.Remove("a.jpg"); got != Deleted || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	if names := listed(t, dir); !slices.Equal(names, []string{"a.jpg"}) {
		t.Error(names)
	}
}

// TestKept is of what a changed sidecar keeps, and of its other hard link.
func TestKept(t *testing.T) {
	dir, s := folder(t, map[string]string{"a.jpg": "photo", "a.jpg.xmp": samples["darktable"]})
	sidecar := filepath.Join(dir, "a.jpg.xmp")
	if err := errors.Join(os.Chmod(sidecar, 0o604), os.Link(sidecar, filepath.Join(dir, "backup"))); err != nil {
		t.Fatal(err)
	}
	attributes := unix.Setxattr(sidecar, "user.tag", []byte("red"), 0) == nil
	root := os.Geteuid() == 0
	if root && os.Chown(sidecar, 12, 34) != nil {
		t.Fatal("chown")
	}
	wrote(t, s, "a.jpg", sea, Changed)
	info, err := os.Stat(sidecar)
	if err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if stat := info.Sys().(*syscall.Stat_t); root && (stat.Uid != 12 || stat.Gid != 34) {
		t.Errorf("owner %d, group %d", stat.Uid, stat.Gid)
	}
	value := make([]byte, 10)
	if n, err := unix.Getxattr(sidecar, "user.tag", value); attributes && (err != nil || string(value[:n]) != "red") {
		t.Errorf("attribute: %q, %v", value[:max(n, 0)], err)
	}
	if read(t, dir, "backup") != samples["darktable"] {
		t.Error("the file under its other name was changed")
	}
	if got, err := s.Remove("a.jpg"); got != Changed || err != nil || read(t, sidecar) != samples["darktable"] {
		t.Errorf("%d, %v", got, err)
	}
}

// TestOddSidecars is of what is no file, or cannot be written, and is left as it is.
func TestOddSidecars(t *testing.T) {
	dir, s := folder(t, map[string]string{"link.jpg": "", "folder.jpg": "", "pipe.jpg": "", "bad.jpg": "", "bad.jpg.xmp": "no XMP", "target": samples["apple"]})
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(os.Symlink("target", in("link.jpg.xmp")), os.Mkdir(in("folder.jpg.xmp"), 0o755), unix.Mkfifo(in("pipe.jpg.xmp"), 0o600)); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 249) + ".jpg"
	if err := os.WriteFile(in(long), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	before := listed(t, dir)
	for name, want := range map[string]string{"link.jpg": "a symbolic link", "folder.jpg": "a folder", "pipe.jpg": "a named pipe", "bad.jpg": "outside of its root", long: "name too long"} {
		got, err := s.Write(name, sea)
		var e *Error
		if got != Unchanged || !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if !slices.Equal(listed(t, dir), before) || read(t, dir, "target") != samples["apple"] {
		t.Error("something was changed")
	}
	for _, path := range []string{"../out.jpg", "/out.jpg", ""} {
		if _, err := s.Write(path, sea); err == nil {
			t.Errorf("%q was written", path)
		}
		if _, err := s.Remove(path); err == nil {
			t.Errorf("%q was removed", path)
		}
	}
	unreadable := In(dir, Options{Inside: func(string) (Embedded, error) { return Embedded{}, errors.New("odd") }})
	if err := os.WriteFile(in("new.jpg"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := unreadable.Write("new.jpg", sea); err == nil || !strings.Contains(err.Error(), "inside of the photo") {
		t.Error(err)
	}
}

// TestMeanwhile has another program save the sidecar just before it is replaced.
func TestMeanwhile(t *testing.T) {
	defer func() { beforeRename = func() {} }()
	theirs := strings.Replace(samples["darktable"], "holiday", "HOLIDAY", 1)
	dir, s := folder(t, map[string]string{"a.jpg": "", "a.jpg.xmp": samples["darktable"], "b.jpg": "", "c.jpg": "", "c.jpg.xmp": samples["darktable"]})
	save := func(name, data string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o640); err != nil {
			t.Error(err)
		}
	}
	once := func(name, data string) func() {
		saved := false
		return func() {
			if !saved {
				saved = true
				save(name, data)
			}
		}
	}
	beforeRename = once("a.jpg.xmp", theirs)
	wrote(t, s, "a.jpg", sea, Changed)
	if rest, _, err := Remove([]byte(read(t, dir, "a.jpg.xmp"))); err != nil || string(rest) != theirs {
		t.Errorf("their change is lost: %v, %s", err, rest)
	}
	beforeRename = once("b.jpg.xmp", theirs)
	wrote(t, s, "b.jpg", sea, Changed)
	if rest, _, err := Remove([]byte(read(t, dir, "b.jpg.xmp"))); err != nil || string(rest) != theirs {
		t.Errorf("their new sidecar is lost: %v, %s", err, rest)
	}
	i := 0
	beforeRename = func() { i++; save("c.jpg.xmp", theirs+strings.Repeat("\n", i)) }
	if _, err := s.Write("c.jpg", sea); !errors.Is(err, errChanged) {
		t.Error(err)
	}
	if read(t, dir, "c.jpg.xmp") != theirs+strings.Repeat("\n", i) {
		t.Error("their last change is lost")
	}
}

// TestTwoAtOnce has several write the sidecars of the same photos.
func TestTwoAtOnce(t *testing.T) {
	dir, _ := folder(t, map[string]string{"a.jpg": "", "a.jpg.xmp": samples["digikam"], "b.jpg": ""})
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			s := In(dir, Options{Inside: nothingInside})
			for j := range 6 {
				text := Text{Description: strings.Repeat("x", 1+i+j%2), Model: "m"}
				for _, name := range []string{"a.jpg", "b.jpg"} {
					if _, err := s.Write(name, text); err != nil && !errors.Is(err, errChanged) {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if rest, _, err := Remove([]byte(read(t, dir, "a.jpg.xmp"))); err != nil || string(rest) != samples["digikam"] {
		t.Errorf("%v, %s", err, rest)
	}
	if _, made, err := Remove([]byte(read(t, dir, "b.jpg.xmp"))); err != nil || !made {
		t.Error(made, err)
	}
	if names := listed(t, dir); len(names) != 4 {
		t.Error(names)
	}
}

const killedEnv = "XMP_TEST_KILLED" // the folder in which a process writes until it is killed

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedEnv); dir != "" {
		s := In(dir, Options{Inside: nothingInside})
		for i := 0; ; i++ {
			_, _ = s.Write("a.jpg", Text{Description: strings.Repeat("word ", 1000*(1+i%2)), Model: "m"})
			_, _ = s.Write("b.jpg", Text{Description: strings.Repeat("word ", 1000*(1+i%2)), Model: "m"})
			_, _ = s.Remove("b.jpg")
		}
	}
	os.Exit(m.Run())
}

// TestKilled kills a process that writes sidecars: each is whole afterwards, what is left
// beside them is nothing that a program takes for a sidecar, and goes with the next write.
func TestKilled(t *testing.T) {
	dir, s := folder(t, map[string]string{"a.jpg": "", "a.jpg.xmp": samples["lightroom"], "b.jpg": ""})
	before := strings.Replace(samples["lightroom"], "SidecarForExtension=\"CR2\"", "City=\"Bern\"", 1)
	before = before[:strings.Index(before, "<dc:description>")] + before[strings.Index(before, "</dc:description>")+len("</dc:description>"):]
	if err := os.WriteFile(filepath.Join(dir, "a.jpg.xmp"), []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	left := 0
	for i := range 15 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killedEnv+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// It has begun when the sidecar is another file; then the moment is as it comes.
		first, _ := os.Stat(filepath.Join(dir, "a.jpg.xmp"))
		for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(time.Millisecond) {
			if now, err := os.Stat(filepath.Join(dir, "a.jpg.xmp")); err == nil && !os.SameFile(first, now) {
				break
			}
		}
		time.Sleep(time.Duration(i*137) * time.Microsecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for _, name := range listed(t, dir) {
			switch {
			case strings.HasPrefix(name, ".photodesc-") && strings.HasSuffix(name, ".tmp"):
				left++
			case name == "a.jpg.xmp":
				if rest, _, err := Remove([]byte(read(t, dir, name))); err != nil || string(rest) != before {
					t.Fatalf("%v, %s", err, rest)
				}
			case name == "b.jpg.xmp":
				if _, made, err := Remove([]byte(read(t, dir, name))); err != nil || !made {
					t.Fatal(made, err)
				}
			case name != "a.jpg" && name != "b.jpg":
				t.Fatalf("%q was left", name)
			}
		}
	}
	t.Logf("%d temporary files were left", left)
	if _, err := s.Write("a.jpg", Text{Description: "after the kills"}); err != nil {
		t.Error(err)
	}
	if _, err := s.Remove("b.jpg"); err != nil {
		t.Error(err)
	}
	if names := listed(t, dir); len(names) != 3 {
		t.Errorf("%q", names)
	}
}

// TestFind is of the names.
func TestFind(t *testing.T) {
	rating := strings.Replace(samples["lightroom"], `photoshop:SidecarForExtension="CR2"`, "", 1)
	for _, c := range []struct {
		files string // besides the photo; those that end in xmp are sidecars
		photo string
		names Names
		want  string
	}{
		{"", "IMG.jpg", "", "IMG.jpg.xmp"},
		{"", "IMG.jpg", StemName, "IMG.xmp"},
		{"IMG.CR2", "IMG.jpg", StemName, "IMG.jpg.xmp"},
		{"IMG.jpg", "IMG.CR2", StemName, "IMG.xmp"},
		{"IMG.CR2 IMG.xmp", "IMG.jpg", StemName, "IMG.jpg.xmp"},
		{"IMG.xmp", "IMG.jpg", "", "IMG.xmp"},
		{"IMG.XMP", "IMG.jpg", "", "IMG.XMP"},
		{"IMG.jpg.XMP", "IMG.jpg", "", "IMG.jpg.XMP"},
		{"IMG.xmp IMG.jpg.xmp", "IMG.jpg", "", "IMG.jpg.xmp"},
		{"IMG.xmp img.png", "IMG.jpg", "", "IMG.jpg.xmp"},
		{"IMG.xmp IMG.MOV", "IMG.jpg", "", "IMG.jpg.xmp"},
		{"IMG.xmp IMG.txt IMGS.jpg", "IMG.jpg", "", "IMG.xmp"},
		{"lightroom:IMG.xmp IMG.jpg", "IMG.CR2", "", "IMG.xmp"},
		{"lightroom:IMG.xmp", "IMG.jpg", "", "IMG.jpg.xmp"},
		{"", "IMG", "", "IMG.xmp"},
		{"", ".jpg", StemName, ".jpg.xmp"},
		{"", "-a\n\xff.jpg", "", "-a\n\xff.jpg.xmp"},
	} {
		dir := t.TempDir()
		for _, name := range append(strings.Fields(c.files), c.photo) {
			data := rating
			if of, found := strings.CutPrefix(name, "lightroom:"); found {
				name, data = of, samples["lightroom"]
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f := finder{names: c.names, now: time.Now}
		got, _, err := f.find(filepath.Join(dir, c.photo))
		if name := filepath.Base(got); err != nil || name != c.want {
			t.Errorf("%q beside %q: %q, %v, want %q", c.photo, c.files, name, err, c.want)
		}
	}
}
