package photo

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"photodesc/internal/photo/faultfs"
)

// mount shows a folder with a fault.
func mount(t *testing.T, fault faultfs.Fault, source string) (at string) {
	t.Helper()
	at = t.TempDir()
	unmount, err := faultfs.Mount(fault, source, at)
	if errors.Is(err, faultfs.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unmount(); err != nil {
			t.Error(err)
		}
	})
	return at
}

func TestWalkFileSystemsWithFaults(t *testing.T) {
	outside := tree(t, "o.jpg", "2019/o.jpg")
	source := tree(t, "2019/p.jpg", "2020/p.jpg", "2020/deep/2019/p.jpg", "2021/a/p.jpg", "2021/b/p.jpg", "one.jpg", "two.jpg")
	link(t, "..", source+"/2020/loop")
	link(t, "2021", source+"/again")
	link(t, outside, source+"/2021/out")
	link(t, outside+"/2019", source+"/into")
	want := []string{"2019/p.jpg", "2020/deep/2019/p.jpg", "2020/p.jpg", "2021/a/p.jpg", "2021/b/p.jpg",
		"one.jpg", "two.jpg", "2021/out/2019/o.jpg", "2021/out/o.jpg"} // into leads where out has led

	for _, fault := range []faultfs.Fault{faultfs.InodesZero, faultfs.InodesSame, faultfs.InodesAlike,
		faultfs.NamesTwice, faultfs.SizesZero, faultfs.TypesHidden} {
		t.Run(string(fault), func(t *testing.T) {
			at := mount(t, fault, source)
			if info, err := os.Stat(at + "/2019"); err != nil {
				t.Fatal(err)
			} else if ino := info.Sys().(*syscall.Stat_t).Ino; fault == faultfs.InodesZero && ino != 0 {
				t.Errorf("inode %d: the fault is not there", ino)
			}
			found, problems := walked(t, at)
			equal(t, found, want...)
			if len(problems) > 0 {
				t.Error(problems)
			}
		})
	}
}

// What a folder told before it could not be read any further is described.
func TestWalkFolderBreaksOff(t *testing.T) {
	at := mount(t, faultfs.ListBreaks, tree(t, "a.jpg", "b.jpg", "c.jpg"))
	found, problems := walked(t, at)
	equal(t, found, "a.jpg", "b.jpg")
	if len(problems) != 1 || problems[0].Path != "." || !errors.Is(problems[0].Err, syscall.EIO) {
		t.Errorf("%+v", problems)
	}
}

// A picture in a file whose size is said to be 0 is found by what is in it.
func TestWalkSizeZeroByContent(t *testing.T) {
	source := tree(t, "a.jpg")
	if err := os.WriteFile(source+"/b.mpo", []byte("\xff\xd8\xff\xe1 and so on"), 0o644); err != nil {
		t.Fatal(err)
	}
	found, _ := walked(t, mount(t, faultfs.SizesZero, source))
	equal(t, found, "a.jpg", "b.mpo")
}

// A file that cannot be opened is a photo only if its name is nearly one: that
// it cannot be described is worth a failure then.
func TestWalkNothingOpens(t *testing.T) {
	at := mount(t, faultfs.OpensFail, tree(t, "a.jpg", "b.mpo", "c.raw", strings.Repeat("d", 60)+".j", "e.txt"))
	found, out := walkedWith(t, at, WalkOptions{})
	equal(t, found, "a.jpg", "b.mpo")
	if len(out.Names) > 0 {
		t.Errorf("%+v", out)
	}
}
