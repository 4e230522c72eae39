package photo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tree makes files (and the folders they need) under a new folder. A name that
// ends in a slash is a folder.
func tree(tb testing.TB, names ...string) (root string) {
	tb.Helper()
	root = tb.TempDir()
	for _, n := range names {
		path := root + "/" + n
		dir := filepath.Dir(path)
		if strings.HasSuffix(n, "/") {
			dir = path
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			tb.Fatal(err)
		}
		if dir == path {
			continue
		}
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return root
}

func link(tb testing.TB, target, path string) {
	tb.Helper()
	if err := os.Symlink(target, path); err != nil {
		tb.Fatal(err)
	}
}

// walked is what Walk finds, in a time that shows it does not hang.
func walked(tb testing.TB, root string, skip ...string) (found []string, problems []Problem) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	opts := WalkOptions{Skip: skip, Problem: func(p Problem) { problems = append(problems, p) }}
	err := Walk(ctx, root, opts, func(rel string) error {
		found = append(found, rel)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return found, problems
}

func equal(tb testing.TB, got []string, want ...string) {
	tb.Helper()
	if !slices.Equal(got, want) {
		tb.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestWalkFindsPhotosInOrder(t *testing.T) {
	root := tree(t, "b.JPG", "a.jpeg", "a/2.png", "a/10.png", "a-b/x.CR2", "notes.txt", "z.svg", "noext",
		"Z.Heic", "é.webp", "jpg", "a/deep/er/1.tif")
	found, problems := walked(t, root)
	equal(t, found, "Z.Heic", "a/10.png", "a/2.png", "a/deep/er/1.tif", "a-b/x.CR2", "a.jpeg", "b.JPG", "é.webp")
	if len(problems) > 0 {
		t.Error(problems)
	}
}

func TestWalkLeavesOut(t *testing.T) {
	root := tree(t, "a.jpg", "._a.jpg", ".hidden/b.jpg", "c/@eaDir/c.jpg/SYNOPHOTO_THUMB_M.jpg", "c/c.jpg",
		"#recycle/d.jpg", "$RECYCLE.BIN/e.jpg", "__MACOSX/f.jpg", "work/outputs/g.png", "log.jpg", "c/log.jpg")
	found, _ := walked(t, root, filepath.Join(root, "work"), filepath.Join(root, "log.jpg"), "/not/there")
	equal(t, found, "a.jpg", "c/c.jpg", "c/log.jpg")
}

func TestWalkHiddenRoot(t *testing.T) {
	root := tree(t, ".pictures/a.jpg")
	found, _ := walked(t, root+"/.pictures")
	equal(t, found, "a.jpg")
}

func TestWalkStrangeNames(t *testing.T) {
	names := []string{"a b.jpg", "line\nbreak.jpg", `quo"te's.jpg`, "🎈.jpg", "not\xff\xfeutf8.jpg",
		"[page=1].jpg", "a.jpg[n=-1].jpg", "colon:1,2.jpg", `back\slash.jpg`, "-dash.jpg",
		strings.Repeat("n", 251) + ".jpg"}
	root := tree(t, names...)
	found, problems := walked(t, root)
	slices.Sort(names)
	equal(t, found, names...)
	if len(problems) > 0 {
		t.Error(problems)
	}
}

func TestWalkLinks(t *testing.T) {
	root := tree(t, "real/a.jpg", "real/sub/b.jpg", "z.jpg")
	outside := tree(t, "c.jpg", "in/d.jpg")
	link(t, "real", root+"/also")               // sorts before what it leads to
	link(t, "..", root+"/real/loop")            // up
	link(t, ".", root+"/real/sub/self")         // to itself
	link(t, "ring2", root+"/ring1")             // in a circle
	link(t, "ring1", root+"/ring2")             //
	link(t, "ring1", root+"/ring.jpg")          // a photo's name, to the circle
	link(t, outside, root+"/out")               // elsewhere
	link(t, root, outside+"/in/back")           // and back
	link(t, outside+"/in", root+"/out2")        // into the middle of it
	link(t, "z.jpg", root+"/y.jpg")             // to a file
	link(t, "nowhere.jpg", root+"/dead.jpg")    // to nothing
	link(t, "nowhere", root+"/dead")            // to nothing that looked like a photo
	link(t, "/dev/zero", root+"/zero.jpg")      // to a device
	link(t, "real/sub/b.jpg", root+"/real/n.x") // a name that is no photo's

	found, problems := walked(t, root)
	// What is really there comes first, so that links change no photo's path.
	equal(t, found, "real/a.jpg", "real/sub/b.jpg", "y.jpg", "z.jpg", "out/c.jpg", "out/in/d.jpg")
	var bad []string
	for _, p := range problems {
		if p.Err.Kind != Unreadable || p.Folder {
			t.Errorf("%+v", p)
		}
		bad = append(bad, p.Path)
	}
	equal(t, bad, "dead.jpg", "ring.jpg", "zero.jpg")
}

func TestWalkReportsWhatIsNoFile(t *testing.T) {
	root := tree(t, "a.jpg", "folder.jpg/b.jpg")
	if err := syscall.Mkfifo(root+"/pipe.jpg", 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(root+"/pipe", 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", root+"/s.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	found, problems := walked(t, root)
	equal(t, found, "a.jpg", "folder.jpg/b.jpg")
	if len(problems) != 2 || problems[0].Path != "pipe.jpg" || problems[1].Path != "s.jpg" {
		t.Fatalf("%+v", problems)
	}
	want := fmt.Sprintf("%q: it is a named pipe, not a file", root+"/pipe.jpg")
	if got := problems[0].Err.Error(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A path that has become too long stands for any folder the system refuses: it
// works for root too, whom permissions do not stop.
func TestWalkGoesOnAfterAnUnreadableFolder(t *testing.T) {
	root := tree(t, "a/1.jpg", "z.jpg")
	deep := strings.Repeat("d", 250)
	// Too long to be made at once: from inside, step by step.
	if err := os.Mkdir(root+"/b", 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root + "/b")
	for range 20 { // 20 * 251 is more than the 4096 the system takes
		if err := os.Mkdir(deep, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chdir(deep); err != nil {
			t.Fatal(err)
		}
	}
	defer func() { // the test's own cleaning works by path
		for range 20 {
			os.Chdir("..")
			os.Remove(deep)
		}
	}()
	found, problems := walked(t, root)
	equal(t, found, "a/1.jpg", "z.jpg")
	if len(problems) != 1 || !problems[0].Folder || problems[0].Err.Kind != Unreadable ||
		!errors.Is(problems[0].Err, syscall.ENAMETOOLONG) {
		t.Errorf("%d problems: %.300v", len(problems), problems)
	}
}

func TestWalkForbiddenFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("nothing is forbidden to root")
	}
	root := tree(t, "a.jpg", "b/b.jpg", "c.jpg")
	if err := os.Chmod(root+"/b", 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(root+"/b", 0o755)
	found, problems := walked(t, root)
	equal(t, found, "a.jpg", "c.jpg")
	if len(problems) != 1 || problems[0].Path != "b" || !problems[0].Folder {
		t.Errorf("%+v", problems)
	}
}

// A folder that goes while the walk is under way is reported, the rest is found.
func TestWalkFolderVanishes(t *testing.T) {
	root := tree(t, "a.jpg", "b/b.jpg", "c.jpg")
	var found []string
	var problems []Problem
	err := Walk(context.Background(), root, WalkOptions{Problem: func(p Problem) { problems = append(problems, p) }},
		func(rel string) error {
			found = append(found, rel)
			return os.RemoveAll(root + "/b")
		})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, found, "a.jpg", "c.jpg")
	if len(problems) != 1 || problems[0].Path != "b" {
		t.Errorf("%+v", problems)
	}
}

func TestWalkRootErrors(t *testing.T) {
	root := tree(t, "a.jpg")
	none := func(string) error { return nil }
	for _, c := range []struct{ root, want string }{
		{root + "/missing", "there is no folder"},
		{root + "/a.jpg", "is a file: give the folder"},
		{"", "there is no folder"},
	} {
		err := Walk(context.Background(), c.root, WalkOptions{}, none)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.root, err, c.want)
		}
	}
	if err := Walk(context.Background(), root, WalkOptions{Skip: []string{root}}, none); err == nil {
		t.Error("a root that is to be skipped is no error")
	}
}

func TestWalkStops(t *testing.T) {
	root := tree(t, "a.jpg", "b.jpg", "c/d.jpg")
	stop := errors.New("stop")
	n := 0
	err := Walk(context.Background(), root, WalkOptions{}, func(string) error { n++; return stop })
	if err != stop || n != 1 {
		t.Errorf("%v after %d", err, n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	err = Walk(ctx, root, WalkOptions{}, func(string) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWalkRelativeRoot(t *testing.T) {
	root := tree(t, "in/a.jpg", "b.jpg")
	t.Chdir(root)
	for _, r := range []string{".", "./", "in/.."} {
		found, _ := walked(t, r)
		equal(t, found, "b.jpg", "in/a.jpg")
	}
}

func writeFile(path, data string) error { return os.WriteFile(path, []byte(data), 0o644) }

func mkfifo(path string) error { return syscall.Mkfifo(path, 0o644) }
