package vips

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/photo"
)

// failsAs decodes what should fail, in a time that shows it does not hang.
func failsAs(t *testing.T, path string, kind photo.Kind, text string) {
	t.Helper()
	start := cpuTime(t)
	img, err := Decode(path, Options{Longest: 512})
	if d := cpuTime(t) - start; d > 10*time.Second {
		t.Errorf("%q took %v of CPU", path, d)
	}
	var e *photo.Error
	switch {
	case err == nil:
		t.Errorf("%q is decoded: %d × %d", path, img.Width, img.Height)
	case !errors.As(err, &e):
		t.Errorf("%q: %T", path, err)
	case e.Kind != kind || e.Path != path || !strings.Contains(err.Error(), text):
		t.Errorf("kind %s: %v\nwant %s: …%s…", e.Kind, err, kind, text)
	}
}

// Every example, cut at each tenth of its length: none is taken for whole.
func TestTruncated(t *testing.T) {
	list, err := filepath.Glob(examples + "/*.*")
	if err != nil || len(list) < 16 {
		t.Fatal(err, list)
	}
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for tenth := 1; tenth < 10; tenth++ {
			cut := data[:len(data)*tenth/10]
			img, err := Decode(write(t, filepath.Base(path), cut), Options{})
			// Of an animation the first frame may be whole.
			if strings.Contains(path, "animated") && err == nil && img.Width == 512 {
				continue
			}
			if photo.KindOf(err) != photo.Unreadable {
				t.Errorf("%s at %d/10: %v", path, tenth, err)
			}
		}
	}
}

func TestNoPhoto(t *testing.T) {
	failsAs(t, write(t, "a.jpg", nil), photo.Unreadable, "empty")
	failsAs(t, write(t, "a.jpg", []byte{0xff}), photo.Unsupported, "no picture of a known format")
	failsAs(t, write(t, "a.jpg", []byte("just a text")), photo.Unsupported, "no picture of a known format")
	failsAs(t, write(t, "a.jpg", []byte("\xff\xd8\xff\xe0")), photo.Unreadable, "damaged or cut short")
	failsAs(t, write(t, "a.png", []byte("\x89PNG\r\n\x1a\n")), photo.Unreadable, "damaged or cut short")
	failsAs(t, write(t, "a.bmp", []byte("BM")), photo.Unreadable, "damaged or cut short")
	failsAs(t, write(t, "a.jxl", []byte("\xff\x0a"+strings.Repeat("x", 100))), photo.Unsupported, "blocked")
	failsAs(t, write(t, "a.dng", []byte("II*\x00\x08\x00\x00\x00"+strings.Repeat("\x00", 100))), photo.Unsupported, "no preview")
	failsAs(t, write(t, "a.avif", []byte("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isommp41")), photo.Unsupported, "video")
	failsAs(t, filepath.Join(t.TempDir(), "gone.jpg"), photo.Unreadable, "gone")
	failsAs(t, "a\x00b.jpg", photo.Unreadable, "cannot open")
	failsAs(t, t.TempDir(), photo.Unreadable, "a folder")
}

// What has a photo's name and nothing of a photo in it. Another decoder is
// advised only where there is one for what the file is.
func TestNoPicture(t *testing.T) {
	zeros := make([]byte, 3<<20)
	late := bytes.Clone(zeros)
	late[len(late)-1] = 1
	const lost, unknown, hint = "it holds only zeros", "no picture of a known format", "--untrusted-loaders"
	for _, c := range []struct {
		name   string
		data   []byte
		kind   photo.Kind
		text   string
		advise bool
	}{
		{"zeros", zeros, photo.Unreadable, lost, false},
		{"one zero", zeros[:1], photo.Unreadable, lost, false},
		{"as many as are looked at first", zeros[:photo.SniffLen], photo.Unreadable, lost, false},
		{"zeros and more", late, photo.Unsupported, unknown, false},
		{"random bytes", []byte("\x83\x11\xd2\x07\x9a\x5c\xee\x40"), photo.Unsupported, unknown, false},
		{"a page", []byte("<!DOCTYPE html><html><body>404</body></html>"), photo.Unsupported, unknown, false},
		{"a Photoshop file", []byte("8BPS\x00\x01"), photo.Unsupported, "psd", false},
		{"JPEG XL", []byte("\xff\x0axxxx"), photo.Unsupported, "blocked", true},
	} {
		path := write(t, "a.jpg", c.data)
		if _, err := Decode(path, Options{}); err != nil && strings.Contains(err.Error(), hint) != c.advise {
			t.Errorf("%s: %v", c.name, err)
		}
		failsAs(t, path, c.kind, c.text)
	}
}

// The name says nothing: the content is decoded.
func TestWrongExtension(t *testing.T) {
	for name, want := range map[string]string{
		"yellow-star-on-blue.webp": photo.FormatWebP, "purple-cross.avif": photo.FormatAVIF,
		"black-triangle.bmp": photo.FormatBMP, "green-triangle.tiff": photo.FormatTIFF,
	} {
		for _, as := range []string{"x.jpg", "x.png", "x.bmp", "x.svg"} {
			if img := decode(t, write(t, as, read(t, name)), Options{}); img.Format != want {
				t.Errorf("%s as %s: %s", name, as, img.Format)
			}
		}
	}
}

// libvips takes brackets at a name's end for options, and commas and colons in them.
func TestNames(t *testing.T) {
	data := read(t, "red-circle-orientation-1.jpg")
	for _, name := range []string{"a b.jpg", "line\nbreak.jpg", `quo"te's.jpg`, "🎈.jpg", "not\xffutf8\xfe.jpg",
		"a.jpg[shrink=8]", "[page=1,n=-1].jpg", "a:b,c.jpg", "%s%n.jpg", "-o.jpg", strings.Repeat("n", 251) + ".jpg"} {
		if img := decode(t, write(t, name, data), Options{}); img.Width != 512 {
			t.Errorf("%q: %d wide", name, img.Width)
		}
	}
}

func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(dir+"/pipe.jpg", 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", dir+"/s.jpg")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, target := range map[string]string{"zero.jpg": "/dev/zero", "loop.jpg": "loop.jpg", "dead.jpg": "nothing"} {
		if err := os.Symlink(target, dir+"/"+name); err != nil {
			t.Fatal(err)
		}
	}
	failsAs(t, dir+"/pipe.jpg", photo.Unreadable, "named pipe")
	failsAs(t, dir+"/s.jpg", photo.Unreadable, "socket")
	failsAs(t, dir+"/zero.jpg", photo.Unreadable, "device")
	failsAs(t, dir+"/loop.jpg", photo.Unreadable, "cannot open")
	failsAs(t, dir+"/dead.jpg", photo.Unreadable, "gone")
	if os.Geteuid() != 0 {
		path := write(t, "secret.jpg", read(t, "red-circle-orientation-1.jpg"))
		if err := os.Chmod(path, 0); err != nil {
			t.Fatal(err)
		}
		failsAs(t, path, photo.Unreadable, fs.ErrPermission.Error())
	}
}

// 50 kB that claim, and hold a good part of, 3,600 million pixels.
func TestHugePNG(t *testing.T) {
	const side = 60_000
	data := []byte("\x89PNG\r\n\x1a\n")
	header := binary.BigEndian.AppendUint32(nil, side)
	header = binary.BigEndian.AppendUint32(header, side)
	data = append(data, chunk("IHDR", append(header, 1, 0, 0, 0, 0))...) // a bit a pixel, grey
	data = append(data, chunk("IDAT", deflate(make([]byte, 50<<20)))...)
	data = append(data, chunk("IEND", nil)...)
	if len(data) < 45_000 || len(data) > 60_000 {
		t.Errorf("it has %d bytes", len(data))
	}
	before := peak(t)
	failsAs(t, write(t, "huge.png", data), photo.TooLarge, "60000 × 60000 pixels, 3600.0 million")
	if grown := peak(t) - before; grown > 100<<20 {
		t.Errorf("it took %d MiB", grown>>20)
	}
	// A BMP's header is as easily written.
	bmp := read(t, "black-triangle.bmp")
	binary.LittleEndian.PutUint32(bmp[18:], 20_000)
	binary.LittleEndian.PutUint32(bmp[22:], 20_000)
	failsAs(t, write(t, "huge.bmp", bmp), photo.Unreadable, "cut short")
	binary.LittleEndian.PutUint32(bmp[18:], side)
	binary.LittleEndian.PutUint32(bmp[22:], side)
	failsAs(t, write(t, "huge.bmp", bmp), photo.TooLarge, "million")
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct{ buffer, want string }{
		{"", ""}, {"\n \n", ""},
		{"a: b\na: b\nc\n", "a: b; c"},
		{"1\n2\n3\n4\n", "1; 2; 3"},
		{"source: bad seek to 722\nsource: bad seek to 9\n1\n2\n3\n", "1; 2; 3"},
		{"source: bad seek to 722\n", "source: bad seek to 722"},
	} {
		if got := errorText(c.buffer); got != c.want {
			t.Errorf("%q: got %q, want %q", c.buffer, got, c.want)
		}
	}
	// Of a photo: the reason comes first.
	for _, name := range []string{"orange-square.heic", "purple-cross.avif"} {
		data := read(t, name)
		failsAs(t, write(t, name, data[:len(data)/2]), photo.Unreadable, "it is damaged or cut short: heif: ")
	}
}

// Sizes that no PNG can have: libvips says nothing of them, we do.
func TestImpossiblePNG(t *testing.T) {
	for _, side := range []uint32{0, 1 << 31} {
		header := binary.BigEndian.AppendUint32(nil, side)
		header = binary.BigEndian.AppendUint32(header, side)
		data := append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(header, 8, 0, 0, 0, 0))...)
		data = append(data, chunk("IDAT", deflate(make([]byte, 1000)))...)
		data = append(data, chunk("IEND", nil)...)
		failsAs(t, write(t, "a.png", data), photo.Unreadable, "something in it, such as its size, makes no sense")
	}
}

// A size in a HEIF's or AVIF's header that libheif itself refuses, before libvips has seen it.
func TestHugeHEIF(t *testing.T) {
	for _, name := range []string{"orange-square.heic", "purple-cross.avif"} {
		for _, c := range []struct {
			width, height uint32
			kind          photo.Kind
			text          string
		}{
			{60_000, 60_000, photo.TooLarge, "it has 60000 × 60000 pixels, and at most"},
			{0, 0, photo.Unreadable, "damaged"},
			{600, 400, photo.Unreadable, "damaged"}, // the codec knows better
		} {
			data := read(t, name)
			size := data[bytes.Index(data, []byte("ispe"))+8:]
			binary.BigEndian.PutUint32(size, c.width)
			binary.BigEndian.PutUint32(size[4:], c.height)
			failsAs(t, write(t, name, data), c.kind, c.text)
		}
	}
}

// A WebP ends where it says: what follows, here gigabytes of nothing, is not read.
func TestWebPAndMore(t *testing.T) {
	for _, name := range []string{"yellow-star-on-blue.webp", "red-ring-animated.webp"} {
		data := read(t, name)
		path := write(t, name, data)
		want := decode(t, path, Options{})
		if err := os.Truncate(path, 6<<30); err != nil {
			t.Fatal(err)
		}
		before := peak(t)
		if got := decode(t, path, Options{}); !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s: other pixels", name)
		}
		if grown := peak(t) - before; grown > 100<<20 {
			t.Errorf("%s took %d MiB", name, grown>>20)
		}
	}
	for _, c := range []struct {
		length uint32
		want   int64
	}{{0, 8}, {7, 16}, {8, 16}, {1<<32 - 1, 1<<32 + 8}} {
		head := append(binary.LittleEndian.AppendUint32([]byte("RIFF"), c.length), "WEBPVP8 "...)
		if got := webpSize(head); got != c.want {
			t.Errorf("of %d: got %d, want %d", c.length, got, c.want)
		}
		// A lie of the header is no more than a damaged photo.
		data := read(t, "yellow-star-on-blue.webp")
		copy(data, head[:8])
		if img, err := Decode(write(t, "a.webp", data), Options{}); err == nil && c.length < 9 ||
			err != nil && photo.KindOf(err) != photo.Unreadable {
			t.Errorf("of %d: %v %v", c.length, img, err)
		}
	}
}

// peak is the most memory the process has had so far, in bytes.
func peak(tb testing.TB) int64 {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return u.Maxrss << 10 // kB on Linux
}

// ifds is a TIFF of 2 × 2 grey pixels with so many pages, the last of which
// leads back to the first if it loops.
func ifds(pages int, loop bool) []byte {
	type entry struct{ tag, typ, value int }
	entries := []entry{{256, 3, 2}, {257, 3, 2}, {258, 3, 8}, {259, 3, 1}, {262, 3, 1}, {273, 4, 8}, {277, 3, 1},
		{278, 3, 2}, {279, 4, 4}}
	size := 2 + 12*len(entries) + 4
	const first = 12
	le := binary.LittleEndian
	data := append(le.AppendUint32([]byte("II*\x00"), first), 10, 20, 30, 40)
	for p := range pages {
		data = le.AppendUint16(data, uint16(len(entries)))
		for _, e := range entries {
			data = le.AppendUint16(data, uint16(e.tag))
			data = le.AppendUint16(data, uint16(e.typ))
			data = le.AppendUint32(data, 1)
			data = le.AppendUint32(data, uint32(e.value))
		}
		next := first + (p+1)*size
		if p == pages-1 {
			if next = 0; loop {
				next = first
			}
		}
		data = le.AppendUint32(data, uint32(next))
	}
	return data
}

func TestDeepTIFF(t *testing.T) {
	for _, c := range []struct {
		pages int
		loop  bool
	}{{1, false}, {1, true}, {2, true}, {10_000, false}, {10_000, true}} {
		start := cpuTime(t)
		img, err := Decode(write(t, "a.tif", ifds(c.pages, c.loop)), Options{})
		if d := cpuTime(t) - start; d > 10*time.Second {
			t.Errorf("%+v took %v of CPU", c, d)
		}
		// A loop may be refused or not; the first page is there in any case.
		if c.loop && photo.KindOf(err) == photo.Unreadable {
			continue
		}
		if err != nil || !bytes.Equal(img.Pix, []byte{10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40}) {
			t.Errorf("%+v: %v %v", c, img, err)
		}
	}
}

func TestBillionLaughs(t *testing.T) {
	var svg strings.Builder
	svg.WriteString(`<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">`)
	for i := range 9 {
		fmt.Fprintf(&svg, `<!ENTITY l%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&l%d;", i), 10))
	}
	svg.WriteString(`]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&l9;</text></svg>`)
	for _, name := range []string{"a.svg", "a.png", "a.jpg"} {
		failsAs(t, write(t, name, []byte(svg.String())), photo.Unsupported, "svg")
	}
}

// A file may change at any moment while it is read: the photo is decoded or
// fails, and the process lives. WebP and GIF are those libvips would map.
func TestFileChangesUnderTheRead(t *testing.T) {
	for _, name := range []string{"yellow-star-on-blue.webp", "brown-square-animated.gif", "green-triangle.tiff",
		"red-circle-orientation-1.jpg", "orange-square.heic"} {
		data := read(t, name)
		path := write(t, name, data)
		done := make(chan bool)
		go func() {
			defer close(done)
			for i := range 60 {
				os.Truncate(path, int64(len(data)*(i%7)/7))
				os.WriteFile(path, data, 0o644)
			}
		}()
		for busy := true; busy; {
			select {
			case <-done:
				busy = false
			default:
			}
			if _, err := Decode(path, Options{}); err != nil {
				switch photo.KindOf(err) {
				case photo.Unreadable, photo.Unsupported:
				default:
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		decode(t, path, Options{})
	}
}

// A photo renamed, replaced or removed between the walk and the decoding.
func TestVanishes(t *testing.T) {
	path := write(t, "a.jpg", read(t, "red-circle-orientation-1.jpg"))
	decode(t, path, Options{})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	failsAs(t, path, photo.Unreadable, "gone")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	failsAs(t, path, photo.Unreadable, "named pipe")
}
