package exif

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"photodesc/internal/photo"
)

// entry is an entry of a directory with what it says inside of it or elsewhere.
type entry struct {
	tag, kind uint16
	count     uint32
	value     []byte
}

func text(tag uint16, s string) entry { return entry{tag, 2, uint32(len(s)), []byte(s)} }

// block has one directory.
func block(order binary.AppendByteOrder, magic string, entries ...entry) []byte {
	const first = 8
	out := order.AppendUint32([]byte(magic), first)
	out = order.AppendUint16(out, uint16(len(entries)))
	at := first + 2 + 12*len(entries) + 4
	var values []byte
	for _, e := range entries {
		out = order.AppendUint32(order.AppendUint16(order.AppendUint16(out, e.tag), e.kind), e.count)
		if len(e.value) <= 4 {
			out = append(out, append(e.value, 0, 0, 0, 0)[:4]...)
			continue
		}
		out = order.AppendUint32(out, uint32(at+len(values)))
		values = append(values, e.value...)
	}
	return append(order.AppendUint32(out, 0), values...)
}

func TestRead(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	canon := photo.ExifFields{Make: "Canon", Model: "5D", Original: "2019:07:14 12:30:05"}
	fields := []entry{text(tagMake, "Canon\x00"), text(tagModel, "5D\x00"), text(tagOriginal, "2019:07:14 12:30:05\x00")}
	for _, c := range []struct {
		name string
		data []byte
		want photo.ExifFields
	}{
		{"little-endian", block(le, "II*\x00", fields...), canon},
		{"big-endian", block(be, "MM\x00*", fields...), canon},
		{"with an identifier", append([]byte(identifier), block(be, "MM\x00*", fields...)...), canon},
		{"Olympus", block(le, "IIRO", fields...), canon},
		{"Panasonic", block(le, "IIU\x00", fields...), canon},
		{"another", block(le, "II+\x00", fields...), photo.ExifFields{}},
		{"the first of two counts", block(le, "II*\x00", text(tagMake, "Canon"), text(tagMake, "Nikon")), photo.ExifFields{Make: "Canon"}},
		{"a long text", block(le, "II*\x00", text(tagMake, strings.Repeat("x", 1000))), photo.ExifFields{Make: strings.Repeat("x", maxText)}},
		{"no text", block(le, "II*\x00", entry{tagMake, 4, 1, []byte("abcd")}), photo.ExifFields{}},
		{"a directory that is its own", block(le, "II*\x00", entry{tagEXIF, 4, 1, []byte{8, 0, 0, 0}}, text(tagMake, "M\x00")), photo.ExifFields{Make: "M"}},
		{"a directory out of the file", block(le, "II*\x00", entry{tagEXIF, 4, 1, []byte{255, 255, 255, 255}}), photo.ExifFields{}},
		{"nothing", nil, photo.ExifFields{}},
	} {
		if got := Block(c.data); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		for n := range c.data { // cut short, it has no other words
			if got := Block(c.data[:n]); !strings.HasPrefix(c.want.Make, got.Make) || !strings.HasPrefix(c.want.Original, got.Original) {
				t.Errorf("%s, cut after %d bytes: %+v", c.name, n, got)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(block(binary.LittleEndian, "II*\x00", text(tagMake, "Canon\x00"), entry{tagGPS, 4, 1, []byte{8, 0, 0, 0}},
		entry{tagLatitude, 5, 3, bytes.Repeat([]byte{1}, 24)}))
	f.Fuzz(func(_ *testing.T, data []byte) {
		photo.ParseExif(Block(data))
		Times(bytes.NewReader(data), int64(len(data)))
		Place(bytes.NewReader(data), int64(len(data)))
	})
}
