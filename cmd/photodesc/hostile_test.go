package main

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// outcome is what may become of a photo.
type outcome []tracker.Kind

// described stands for no failure.
const described tracker.Kind = ""

var (
	good       = outcome{described}
	unreadable = outcome{tracker.Unreadable}
	unknown    = outcome{tracker.Unsupported}
	tooLarge   = outcome{tracker.TooLarge}
	either     = outcome{described, tracker.Unreadable}            // half a photo may be enough
	anything   = append(slices.Clone(either), tracker.Unsupported) // it changes under the run
	damagedTop = outcome{tracker.Unreadable, tracker.Unsupported}  // too short to be anything
)

// TestHostile has the real program describe a folder of everything that has
// ever hurt a program like it.
func TestHostile(t *testing.T) {
	h := newHarness(t)
	if err := os.MkdirAll(h.photos, 0o700); err != nil {
		t.Fatal(err)
	}
	want := map[string]outcome{}
	file := func(name string, data []byte, may outcome) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(h.photos, name), data, 0o600); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		want[name] = may
	}
	jpg := jpegOf(t, 64, 48)

	// Cut short, at every tenth.
	for _, example := range []string{"red-circle-orientation-1.jpg", "blue-ring-alpha.png", "yellow-star-on-blue.webp",
		"brown-square-animated.gif", "green-triangle.tiff", "orange-square.heic", "purple-cross.avif", "black-triangle.bmp"} {
		data, err := os.ReadFile(filepath.Join("../../examples/photos", example))
		if err != nil {
			t.Fatal(err)
		}
		ext := filepath.Ext(example)
		file("whole"+ext, data, good)
		for tenth := 1; tenth < 10; tenth++ {
			file(fmt.Sprintf("cut-%d%s", tenth, ext), data[:len(data)*tenth/10], either)
		}
	}
	file("empty.jpg", nil, unreadable)
	file("few bytes.jpg", jpg[:3], damagedTop)

	// Not what the name says.
	file("png.jpg", pngOf(t, 20, 20), good)
	file("jpg.heic", jpg, good)
	file("text.jpg", []byte("Dear diary, this is no photo.\n"), unknown)
	file("program.png", elf(t), unknown)
	laughs := billionLaughs()
	file("laughs.png", laughs, unknown)
	file("laughs.tif", laughs, unknown)

	// Sizes and shapes.
	file("one pixel.png", pngOf(t, 1, 1), good)
	file("tall.png", pngOf(t, 1, 5000), good)
	file("wide.png", pngOf(t, 5000, 1), good)
	file("wide.jpg", jpegOf(t, 5000, 1), good)
	huge := hugePNG()
	file("huge.png", huge, tooLarge)
	file("deep.tif", tiffChain(5000, false), good)
	file("loop.tif", tiffChain(3, true), either)

	// Names.
	for _, name := range []string{"with spaces .jpg", "line\nbreak.jpg", "\"quoted\".jpg", "it's.jpg", "back\\slash.jpg", "tab\t.jpg",
		"🎈 balloon.jpg", "\xff\xfe no text.jpg", "a\u0301 combining.jpg", "-rf.jpg", "$HOME.jpg", "%s%d.jpg", "\u202egpj.reversed.jpg",
		strings.Repeat("n", 251) + ".jpg", strings.Repeat("é", 125) + "x.jpg", "JPG.JPG", "esc\x1b[2J.jpg"} {
		file(name, jpg, good)
	}

	// No files.
	special := func(name string, may outcome, make func(path string) error) {
		t.Helper()
		if err := make(filepath.Join(h.photos, name)); err != nil {
			if errors.Is(err, syscall.EPERM) {
				t.Logf("%s: %v", name, err)
				return
			}
			t.Fatal(err)
		}
		if may != nil {
			want[name] = may
		}
	}
	special("pipe.jpg", unreadable, func(p string) error { return syscall.Mkfifo(p, 0o600) })
	special("device.jpg", unreadable, func(p string) error { return syscall.Mknod(p, syscall.S_IFCHR|0o600, 1<<8|5) }) // /dev/zero
	special("socket.jpg", unreadable, func(p string) error {
		return syscall.Mknod(p, syscall.S_IFSOCK|0o600, 0)
	})
	special("folder.jpg", nil, func(p string) error { return os.Mkdir(p, 0o700) })

	// Links.
	outside := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(outside, "one.jpg"), jpg, 0o600),
		os.Mkdir(filepath.Join(outside, "more"), 0o700), os.WriteFile(filepath.Join(outside, "more", "two.jpg"), jpg, 0o600)); err != nil {
		t.Fatal(err)
	}
	link := func(to string) func(string) error {
		return func(p string) error { return os.Symlink(to, p) }
	}
	special("round", nil, link("."))
	special("ping", nil, link("pong"))
	special("pong", nil, link("ping"))
	special("self.jpg", unreadable, link("self.jpg"))
	special("nowhere.jpg", unreadable, link("not there.jpg"))
	special("elsewhere.jpg", good, link(filepath.Join(outside, "one.jpg")))
	special("elsewhere", nil, link(filepath.Join(outside, "more")))
	want["elsewhere/two.jpg"] = good
	special("zero.jpg", unreadable, link("/dev/zero"))

	// Not for us. The right to read everything, as root has it, makes it good.
	file("locked.jpg", jpg, unreadable)
	if err := os.Chmod(filepath.Join(h.photos, "locked.jpg"), 0); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(h.photos, "locked"), 0o700),
		os.WriteFile(filepath.Join(h.photos, "locked", "in.jpg"), jpg, 0o600), os.Chmod(filepath.Join(h.photos, "locked"), 0)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(h.photos, "locked"), 0o700) })
	if os.Geteuid() == 0 {
		t.Log("root reads what is locked: not tested")
		want["locked.jpg"], want["locked/in.jpg"] = good, good
	}

	// Gone, changed, replaced while the run works. They come last in its order.
	for i := range 30 {
		file(fmt.Sprintf("zz-flicker-%02d.jpg", i), jpg, anything)
	}
	file("zzz-gone.jpg", jpg, unreadable)
	file("zzz-pipe.jpg", jpg, unreadable)
	file("zzz-folder.jpg", jpg, unreadable)

	stop, stopped := h.meddle(t, jpg)
	code, said := h.run("--workers", "2", "--parallel", "2", "--timeout", "60s")
	close(stop)
	stopped.Wait()
	if code != ui.ExitFailed {
		t.Errorf("exit code %d, want %d", code, ui.ExitFailed)
	}
	h.judge(t, want, said)

	// What was changed behind the run is looked at again. Then nothing is left to do, and nothing is written.
	if code, said := h.run(); code != ui.ExitFailed {
		t.Errorf("the next run: exit code %d\n%s", code, said)
	}
	before := h.outputs()
	if code, said := h.run(); code != ui.ExitFailed || !strings.Contains(said, " 0 to do") || h.outputs() != before {
		t.Errorf("the third run: exit code %d, wrote %q\n%s", code, strings.TrimPrefix(h.outputs(), before), said)
	}
}

// meddle changes files while the run works.
func (h *harness) meddle(t *testing.T, jpg []byte) (stop chan struct{}, stopped *sync.WaitGroup) {
	stop, stopped = make(chan struct{}), &sync.WaitGroup{}
	stopped.Go(func() {
		for h.lines() == 0 {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
		}
		at := func(name string) string { return filepath.Join(h.photos, name) }
		for _, name := range []string{"zzz-gone.jpg", "zzz-pipe.jpg", "zzz-folder.jpg"} {
			if err := os.Remove(at(name)); err != nil {
				t.Error(err)
			}
		}
		if err := errors.Join(syscall.Mkfifo(at("zzz-pipe.jpg"), 0o600), os.Mkdir(at("zzz-folder.jpg"), 0o700)); err != nil {
			t.Error(err)
		}
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
			}
			name := at(fmt.Sprintf("zz-flicker-%02d.jpg", n%30))
			switch n % 4 {
			case 0:
				os.Truncate(name, int64(n%len(jpg)))
			case 1:
				os.WriteFile(name, bytes.Repeat([]byte{byte(n)}, n%5000), 0o600)
			case 2:
				os.Remove(name)
			case 3:
				os.WriteFile(name, jpg, 0o600)
			}
		}
	})
	return stop, stopped
}

// judge compares what became of each photo with what may.
func (h *harness) judge(t *testing.T, want map[string]outcome, said string) {
	t.Helper()
	got := h.tally()
	kinds := map[tracker.Kind]int{}
	for name, may := range want {
		n := got.ok[name] + got.failed[name]
		if kind := got.kinds[name]; n != 1 || !slices.Contains(may, kind) {
			t.Errorf("%q: %d ok and %d failed lines (%q), want one of %q", name, got.ok[name], got.failed[name], kind, may)
		} else {
			kinds[kind]++
		}
	}
	if n := len(got.ok) + len(got.failed); n != len(want) || got.torn > 0 {
		for name := range got.failed {
			if want[name] == nil {
				t.Errorf("%q is not expected: %s", name, got.kinds[name])
			}
		}
		t.Errorf("lines for %d photos and %d torn, want %d and none", n, got.torn, len(want))
	}
	if t.Failed() {
		t.Log(said)
	}
	t.Logf("%d files: %d described, %d unreadable, %d unsupported, %d too large", len(want),
		kinds[described], kinds[tracker.Unreadable], kinds[tracker.Unsupported], kinds[tracker.TooLarge])
}

func gradient(width, height int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, color.RGBA{uint8(4 * x), uint8(5 * y), 100, 255})
		}
	}
	return img
}

func jpegOf(t *testing.T, width, height int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, gradient(width, height), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t *testing.T, width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, gradient(width, height)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func elf(t *testing.T) []byte {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 100_000)
	if _, err := f.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func billionLaughs() []byte {
	var svg strings.Builder
	svg.WriteString(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">`)
	for i := range 9 {
		fmt.Fprintf(&svg, `<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
	}
	svg.WriteString(`]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&l9;</text></svg>`)
	return []byte(svg.String())
}

// hugePNG claims 60,000 × 60,000 pixels and has 50 kB.
func hugePNG() []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(name string, data []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		start := len(b)
		b = append(append(b, name...), data...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[start:]))
	}
	header := binary.BigEndian.AppendUint32(nil, 60_000)
	header = binary.BigEndian.AppendUint32(header, 60_000)
	chunk("IHDR", append(header, 1, 0, 0, 0, 0)) // a bit a pixel, grey
	var data bytes.Buffer
	z, _ := zlib.NewWriterLevel(&data, zlib.BestCompression)
	z.Write(make([]byte, 50<<20))
	z.Close()
	chunk("IDAT", data.Bytes())
	chunk("IEND", nil)
	return b
}

// tiffChain is a TIFF of 2 × 2 grey pixels with so many pages, the last of
// which leads back to the first if it loops.
func tiffChain(pages int, loop bool) []byte {
	tags := [][3]int{{256, 3, 2}, {257, 3, 2}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8}, {277, 3, 1}, {278, 3, 2}, {279, 4, 4}}
	const first = 12
	size := 2 + 12*len(tags) + 4
	le := binary.LittleEndian
	b := append(le.AppendUint32([]byte("II*\x00"), first), 10, 20, 30, 40)
	for p := range pages {
		b = le.AppendUint16(b, uint16(len(tags)))
		for _, tag := range tags {
			b = le.AppendUint16(b, uint16(tag[0]))
			b = le.AppendUint16(b, uint16(tag[1]))
			b = le.AppendUint32(b, 1)
			b = le.AppendUint32(b, uint32(tag[2]))
		}
		next := first + (p+1)*size
		if p == pages-1 {
			if next = 0; loop {
				next = first
			}
		}
		b = le.AppendUint32(b, uint32(next))
	}
	return b
}
