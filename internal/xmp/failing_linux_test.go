package xmp

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"photodesc/internal/durable/durabletest"
)

// TestFailingDisk is of errors of the system: the old file stays whole, and nothing else.
func TestFailingDisk(t *testing.T) {
	for _, c := range []struct {
		call  string
		errno syscall.Errno
		works bool
	}{
		{"pwrite64", syscall.ENOSPC, false}, {"ftruncate", syscall.EROFS, false}, {"fsync", syscall.EIO, false},
		{"renameat", syscall.EROFS, false}, {"fsync", syscall.EINVAL, true}, {"flock", syscall.ENOLCK, true},
		{"renameat2", syscall.EINVAL, true}, {"llistxattr", syscall.ENOTSUP, true},
	} {
		dir, s := folder(t, map[string]string{"a.jpg": "", "a.jpg.xmp": samples["digikam"], "b.jpg": ""})
		var errs [2]error
		durabletest.OnThread(t, map[string]syscall.Errno{c.call: c.errno}, func() {
			_, errs[0] = s.Write("a.jpg", sea)
			_, errs[1] = s.Write("b.jpg", sea)
		})
		if changed := read(t, dir, "a.jpg.xmp") != samples["digikam"]; changed != c.works || (errs[0] == nil) != c.works {
			t.Errorf("%s fails with %v: changed is %v, %v", c.call, c.errno, changed, errs[0])
		}
		if !c.works && !errors.Is(errs[0], c.errno) {
			t.Errorf("%s: %v", c.call, errs[0])
		}
		want := []string{"a.jpg", "a.jpg.xmp", "b.jpg"}
		if errs[1] == nil {
			want = append(want, "b.jpg.xmp")
		}
		if names := listed(t, dir); !slices.Equal(names, want) || (errs[1] == nil) != (c.works || c.call == "renameat") {
			t.Errorf("%s fails with %v: %q, %v", c.call, c.errno, names, errs[1])
		}
	}
}
