package vips

import (
	"encoding/binary"
	"testing"

	"photodesc/internal/photo"
)

// rawFile is a RAW file's frame: a directory with an orientation and a preview.
func rawFile(preview []byte, orientation int) []byte {
	be := binary.BigEndian
	data := be.AppendUint32([]byte("MM\x00*"), 8)
	data = be.AppendUint16(data, 3)
	entry := func(tag, typ uint16, value uint32) {
		data = be.AppendUint16(data, tag)
		data = be.AppendUint16(data, typ)
		data = be.AppendUint32(data, 1)
		data = be.AppendUint32(data, value)
	}
	entry(0x0112, 3, uint32(orientation)<<16)
	entry(0x0201, 4, 8+2+3*12+4)
	entry(0x0202, 4, uint32(len(preview)))
	data = be.AppendUint32(data, 0)
	return append(data, preview...)
}

func TestRawPreview(t *testing.T) {
	// A preview with no orientation of its own takes the file's: a quarter turn.
	plain := jpegOf(t, colourful(1200, 800))
	img := decode(t, write(t, "a.NEF", rawFile(plain, 6)), Options{Longest: 512})
	if img.Format != photo.FormatRAW || img.OrigWidth != 800 || img.OrigHeight != 1200 || img.Width >= img.Height {
		t.Errorf("%s, %d × %d, decoded %d × %d", img.Format, img.OrigWidth, img.OrigHeight, img.Width, img.Height)
	}
	// One with its own keeps it.
	own := read(t, "yellow-circle-orientation-6.jpg")
	img = decode(t, write(t, "a.arw", rawFile(own, 3)), Options{})
	if c := at(img, 0.25, 0.3); !near(c, rgb{255, 225, 20}, 4) || img.Width != 512 {
		t.Errorf("%v, %d wide", c, img.Width)
	}
	// A preview cut short fails as a photo does.
	cut := rawFile(plain, 1)
	failsAs(t, write(t, "a.cr2", cut[:len(cut)/2]), photo.Unreadable, "cut short")
}
