package photo

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestKindOfName(t *testing.T) {
	long := strings.Repeat("x", 45) // as Google Takeout cuts names
	for _, c := range []struct {
		kind  treatment
		names []string
	}{
		{byName, []string{"a.jpg", "DSC1.HIF", "a.JPE", "a.jfif", "x.jpg.png"}},
		{rawByName, []string{"a.CR3", "a.gpr", "a.ori"}},
		{photoOrCounted, []string{"DSCF1.MPO", "VR.insp", "a.jps", "a.apng", "a.DIB", "a.heics",
			"IMG_2.jpg_large", "a.jpeg_large", "a.png-large", "a.jpg:large", "a.jpg!d", "a.jpg@2x", "a.jpg%3Fw=1",
			"IMG_1.jpg(1)", "IMG_1.jpg (12)", "IMG_1.jpg.1", "IMG_1.jpg1", "a.heic_2", "a.mpo.2", "a.jpg ", "a.jpg.",
			"a.jpg?w=100", "a.jpg?w=1.5&h=2", "IMG_3.jp", "IMG_3.HEI"}},
		{rawIfPicture, []string{"P1.RAW", "a.k25"}},
		{photoIfPicture, []string{long + ".j", long + ".h", long + ".he", long + ".", strings.Repeat("y", 51)}},
		{unread, []string{"a.psd", "a.JP2", "a.thm", "a.jpg.part", "a.jpg.bak", "a.jpg.crdownload", "a.jpg_original",
			"a.jpg~", "a.jpg.~1~", "a.jpg_bak", "a.heic.gpg", "a.jpg.zip", "a.jpg.v1600000", "a.jpg.d1600000", "a.jpg.foo"}},
		{inCloud, []string{"a.jpg.cloud", "a.heic.nextcloud", "a.JPG.ownCloud", "a.jpg.icloud"}},
		{notPhoto, []string{"", "a", ".", "..", "a.txt", "a.mp4", "a.mp", "a.avi", "a.jpgx", "a.jpgw", "a.tifw", "jpg", "jpg(1)",
			"a.jpg.xmp", "a.jpg.json", "a.jpg.supplemental-metadata.json", "a.HEIC.MOV", "a.c", "a.h", "a.p", "a.m", "a.cr",
			"a.svg", "a.pdf", "a.tar.gz", "a.pdf.icloud", "a.pdf.part", "1.2.3", "mail (1)", long + ".c1", long + ".html",
			strings.Repeat("日", 40)}},
	} {
		for _, name := range c.names {
			if got := kindOfName(name); got != c.kind {
				t.Errorf("%q: got %d, want %d", name, got, c.kind)
			}
		}
	}
	for name, want := range map[string]treatment{
		".IMG_1.HEIC.icloud": inCloud, ".a.jpg": unread, ".trashed-1700000000-a.jpg": unread,
		"._a.jpg": notPhoto, "._a.jpg.icloud": notPhoto, ".a.pdf.icloud": notPhoto, ".": notPhoto, ".jpg": notPhoto, ".git": notPhoto,
	} {
		if got := hiddenKind(name); got != want {
			t.Errorf("%q: got %d, want %d", name, got, want)
		}
	}
}

func TestLabel(t *testing.T) {
	for name, want := range map[string]string{
		"a.MPO": ".mpo", "IMG_1.jpg(12)": ".jpg(N)", "IMG_1.JPG.part": ".jpg.part", "a.b.psd": ".psd", ".a.jpg": "hidden (.NAME)",
		"a.jpg.v1600000": ".jpg.vN", "a.jpg?w=1.5": ".jpg?", "a.jpg.\x1b[31m\n": ".jpg.?[Nm?", "a.jpg.\xff": ".jpg.?",
		"a.jpg." + strings.Repeat("é", 40): ".jpg.ééééééé…", strings.Repeat("y", 51): "(none)",
	} {
		if got := label(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// The table's endings fit the buffer they are looked up with, and stand once.
func TestEndings(t *testing.T) {
	seen := map[string]bool{}
	longest := 0
	for _, e := range endings {
		for _, name := range strings.Fields(e.names) {
			if seen[name] || name != strings.ToLower(name) {
				t.Errorf("%q is there twice, or not in lower case", name)
			}
			seen[name] = true
			longest = max(longest, len(name))
		}
	}
	if longest != maxEnding {
		t.Errorf("the longest ending has %d bytes, maxEnding is %d", longest, maxEnding)
	}
}

func FuzzKindOfName(f *testing.F) {
	for _, s := range []string{"a.jpg", "IMG_1.jpg(1)", ".IMG.HEIC.icloud", "a.jpg?w=1.5", strings.Repeat("x", 46) + ".j", "a.\xff.jpg~"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		kind, hidden := kindOfName(name), hiddenKind("."+name)
		if IsPhoto(name) != kind.isPhoto() {
			t.Errorf("%q is a photo in one place only", name)
		}
		if hidden == inCloud && serviceOf(name) == "" {
			t.Errorf("%q is in no cloud", name)
		}
		if got := label(name); len(got) > 3*maxLabel || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\x1b") {
			t.Errorf("%q: label %q", name, got)
		}
	})
}
