package vips

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"photodesc/internal/photo"
)

// testdata reads a file that once went wrong.
func testdata(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// corner is a white picture with a red square at its top left, as it is stored.
func corner(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(0, 0, width/3, height/3), image.NewUniform(color.NRGBA{220, 20, 20, 255}), image.Point{}, draw.Src)
	return img
}

// tiffBlock is IFD0 with an orientation (0: with another tag only).
func tiffBlock(orientation int) []byte {
	be := binary.BigEndian
	out := be.AppendUint16(be.AppendUint32([]byte("MM\x00*"), 8), 1)
	tag := uint16(0x0112)
	if orientation == 0 {
		tag, orientation = 0x0128, 2 // the unit of the resolution
	}
	out = be.AppendUint16(be.AppendUint16(out, tag), 3)
	out = be.AppendUint16(be.AppendUint32(out, 1), uint16(orientation))
	return append(out, 0, 0, 0, 0, 0, 0)
}

// withOrientation puts EXIF into a JPEG; with 0 the EXIF names no orientation.
func withOrientation(jpeg []byte, orientation int) []byte {
	block := append([]byte("Exif\x00\x00"), tiffBlock(orientation)...)
	out := binary.BigEndian.AppendUint16([]byte("\xff\xd8\xff\xe1"), uint16(len(block)+2))
	return append(append(out, block...), jpeg[2:]...)
}

func cr3File(preview []byte, orientation int) []byte {
	box := func(name string, content []byte) []byte {
		return append(append(binary.BigEndian.AppendUint32(nil, uint32(8+len(content))), name...), content...)
	}
	canon := []byte("\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48")
	out := append(box("ftyp", []byte("crx \x00\x00\x00\x01crx isom")),
		box("moov", box("uuid", append(canon, box("CMT1", tiffBlock(orientation))...)))...)
	return append(out, box("mdat", preview)...)
}

func mrwFile(preview []byte, orientation int) []byte {
	block := tiffBlock(orientation)
	out := binary.BigEndian.AppendUint32([]byte("\x00MRM"), uint32(8+len(block)))
	out = binary.BigEndian.AppendUint32(append(out, "\x00TTW"...), uint32(len(block)))
	return append(append(out, block...), preview...)
}

func rafFile(preview []byte, _ int) []byte {
	out := make([]byte, 160)
	copy(out, "FUJIFILMCCD-RAW 0201")
	binary.BigEndian.PutUint32(out[84:], uint32(len(out)))
	binary.BigEndian.PutUint32(out[88:], uint32(len(preview)))
	return append(out, preview...)
}

// redCorner is where the red square of a decoded picture is.
func redCorner(t *testing.T, img *Image) string {
	t.Helper()
	for where, xy := range map[string][2]float64{
		"top left": {0.1, 0.1}, "top right": {0.9, 0.1}, "bottom left": {0.1, 0.9}, "bottom right": {0.9, 0.9},
	} {
		if near(at(img, xy[0], xy[1]), rgb{220, 20, 20}, 12) {
			return where
		}
	}
	return "nowhere"
}

// A preview's own orientation goes before the container's, since it is written
// together with the preview's pixels; EXIF that names none is no orientation.
// So do exiftool and the viewers that extract previews.
func TestWhichOrientation(t *testing.T) {
	plain := jpegOf(t, corner(1200, 800))
	turned := map[int]string{1: "top left", 3: "bottom right", 6: "top right", 8: "bottom left"}
	containers := []struct {
		name string
		make func(preview []byte, orientation int) []byte
		has  bool // a place for the orientation
	}{
		{"a.cr3", cr3File, true}, {"a.mrw", mrwFile, true}, {"a.nef", rawFile, true}, {"a.raf", rafFile, false},
	}
	const none = -1
	for _, c := range containers {
		for _, o := range []struct{ own, container, want int }{
			{none, 6, 6}, {none, 8, 8}, {none, 3, 3}, {none, 1, 1}, {none, 0, 1}, // missing in the preview
			{0, 6, 6},            // EXIF without orientation
			{6, 6, 6}, {8, 0, 8}, // the same; missing in the container
			{1, 6, 1}, {3, 6, 3}, {6, 1, 6}, // contradicting
		} {
			preview := plain
			if o.own != none {
				preview = withOrientation(plain, o.own)
			}
			want := o.want
			if !c.has && o.own <= 0 {
				want = 1
			}
			img := decode(t, write(t, c.name, c.make(preview, o.container)), Options{Longest: 512})
			if got := redCorner(t, img); got != turned[want] || (img.OrigWidth < img.OrigHeight) != (want >= 5) || img.Format != photo.FormatRAW {
				t.Errorf("%s, own %d, container %d: the corner is at the %s (%d × %d, %s), want %s",
					c.name, o.own, o.container, got, img.OrigWidth, img.OrigHeight, img.Format, turned[want])
			}
		}
	}
}

// isCircle checks that a picture is a red circle at the top left of white.
func isCircle(t *testing.T, name string, img *Image, width, height int) {
	t.Helper()
	if img.OrigWidth != width || img.OrigHeight != height {
		t.Errorf("%s: %d × %d, want %d × %d", name, img.OrigWidth, img.OrigHeight, width, height)
	}
	if c := at(img, 0.3, 0.33); !near(c, rgb{220, 20, 20}, 12) {
		t.Errorf("%s: %v where the circle should be", name, c)
	}
	for _, xy := range [][2]float64{{0.9, 0.1}, {0.1, 0.95}, {0.9, 0.9}} {
		if c := at(img, xy[0], xy[1]); !near(c, rgb{255, 255, 255}, 8) {
			t.Errorf("%s: %v at %v, where it should be white", name, c, xy)
		}
	}
}

func TestTrialOrientations(t *testing.T) {
	isCircle(t, "CR3", decode(t, write(t, "a.cr3", testdata(t, "portrait6.cr3")), Options{}), 1600, 1200)
	isCircle(t, "DNG of lossy tiles", decode(t, write(t, "a.dng", testdata(t, "lossy_tiles.dng")), Options{}), 256, 192)
	minolta := jpegOf(t, corner(1200, 800))
	minolta[0] = 0x2a // as these cameras write it
	if got := redCorner(t, decode(t, write(t, "a.mrw", mrwFile(minolta, 6)), Options{})); got != "top right" {
		t.Errorf("MRW: the corner is at the %s", got)
	}
	isCircle(t, "PNG", decode(t, write(t, "a.png", testdata(t, "p_rawprofile_im6.png")), Options{}), 512, 384)
}

// textChunk is a PNG's text chunk of one of the three kinds.
func textChunk(kind, keyword string, text []byte) []byte {
	data := append([]byte(keyword), 0)
	switch kind {
	case "tEXt":
		data = append(data, text...)
	case "zTXt":
		data = append(append(data, 0), deflate(text)...)
	case "iTXt":
		data = append(append(data, "\x00\x00en\x00Profil\x00"...), text...)
	case "iTXt, compressed":
		data = append(append(data, "\x01\x00\x00\x00"...), deflate(text)...)
	}
	return chunk(kind[:4], data)
}

// profileText is a profile as ImageMagick writes it into a text.
func profileText(name string, data []byte) []byte {
	out := fmt.Appendf(nil, "\n%s\n%8d\n", name, len(data))
	for line := range slices.Chunk(data, 36) {
		out = fmt.Appendf(out, "%x\n", line)
	}
	return out
}

func TestPNGTextOrientation(t *testing.T) {
	plain := pngOf(t, corner(300, 200))
	const header, end = 8 + 25, 12
	insert := func(first, last []byte) []byte { // behind the header, before the end
		out := append(slices.Clone(plain[:header]), first...)
		out = append(out, plain[header:len(plain)-end]...)
		return append(append(out, last...), plain[len(plain)-end:]...)
	}
	exif := func(o int) []byte { return append([]byte("Exif\x00\x00"), tiffBlock(o)...) }
	text6 := textChunk("zTXt", "Raw profile type exif", profileText("exif", exif(6)))
	turned := map[int]string{1: "top left", 3: "bottom right", 6: "top right", 8: "bottom left"}
	for _, c := range []struct {
		name string
		data []byte
		want int
	}{
		{"none", plain, 1},
		{"zTXt", insert(text6, nil), 6},
		{"behind the picture", insert(nil, text6), 6},
		{"tEXt", insert(textChunk("tEXt", "Raw profile type exif", profileText("exif", exif(8))), nil), 8},
		{"iTXt", insert(textChunk("iTXt", "Raw profile type exif", profileText("exif", exif(3))), nil), 3},
		{"compressed iTXt", insert(textChunk("iTXt, compressed", "Raw profile type APP1", profileText("app1", exif(6))), nil), 6},
		{"APP1", insert(textChunk("zTXt", "Raw profile type APP1", profileText("generic profile", exif(6))), nil), 6},
		{"without Exif's name", insert(textChunk("zTXt", "Raw profile type exif", profileText("exif", tiffBlock(6))), nil), 6},
		{"APP1 with XMP, then EXIF", insert(append(textChunk("zTXt", "Raw profile type APP1",
			profileText("app1", []byte("http://ns.adobe.com/xap/1.0/\x00<x/>"))), text6...), nil), 6},
		{"no orientation in it", insert(textChunk("zTXt", "Raw profile type exif", profileText("exif", exif(0))), nil), 1},
		{"another profile", insert(textChunk("zTXt", "Raw profile type iptc", profileText("iptc", exif(6))), nil), 1},
		{"eXIf only", insert(chunk("eXIf", tiffBlock(6)), nil), 6},
		{"eXIf behind the picture", insert(nil, chunk("eXIf", tiffBlock(6))), 6},
		{"text, then eXIf behind", insert(text6, chunk("eXIf", tiffBlock(8))), 8},
		{"eXIf behind, then text", insert(nil, append(chunk("eXIf", tiffBlock(3)), text6...)), 3},
		{"eXIf before and behind", insert(chunk("eXIf", tiffBlock(3)), chunk("eXIf", tiffBlock(8))), 3},
		{"eXIf contradicts", insert(append(chunk("eXIf", tiffBlock(3)), text6...), nil), 3},
		{"eXIf is upright", insert(chunk("eXIf", tiffBlock(1)), text6), 1},
		{"eXIf without", insert(chunk("eXIf", tiffBlock(0)), text6), 6},
		{"no text at all", insert(chunk("zTXt", []byte("Raw profile type exif\x00")), chunk("iTXt", []byte("Raw profile type exif\x00\x01"))), 1},
		{"no hexadecimal", insert(textChunk("tEXt", "Raw profile type exif", []byte("exif\n9\nxyz")), nil), 1},
	} {
		for _, limit := range []int64{inMemory, 0} {
			func() {
				defer func(before int64) { inMemory = before }(inMemory)
				inMemory = limit
				img := decode(t, write(t, "a.png", c.data), Options{})
				if got := redCorner(t, img); got != turned[c.want] {
					t.Errorf("%s: the corner is at the %s, want %s", c.name, got, turned[c.want])
				}
			}()
		}
	}
}
