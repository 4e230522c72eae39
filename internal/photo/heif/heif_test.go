package heif

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"photodesc/internal/photo/colour"
)

const samples = "../vips/testdata"

func open(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func parse(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// apply makes the file that a patch describes.
func apply(data []byte, p *Patch) []byte {
	out := bytes.Clone(data)
	for _, r := range p.Replace {
		copy(out[r.At:], r.Bytes[:])
	}
	return append(out, p.Append...)
}

// links are the references that an old libheif looks at, by their source.
func links(f *File) map[string]map[uint32][]uint32 {
	out := make(map[string]map[uint32][]uint32)
	for _, r := range f.references {
		if r.kind == "auxl" || r.kind == "thmb" || r.kind == "cdsc" {
			if out[r.kind] == nil {
				out[r.kind] = make(map[uint32][]uint32)
			}
			if len(r.to) != 1 {
				out[r.kind][r.from] = append(out[r.kind][r.from], 0) // is refused
			}
			out[r.kind][r.from] = append(out[r.kind][r.from], r.to...)
		}
	}
	return out
}

func TestPatch(t *testing.T) {
	type items map[uint32][]uint32
	for _, c := range []struct {
		name             string
		primary          uint32
		auxl, thmb, cdsc items // after it
	}{
		{"ios18_auxl_two_refs.heic", 1, items{2: {1, 3}, 4: {3}}, items{3: {1}}, nil},
		{"ios18_cdsc_unknown_ref.heic", 1, nil, nil, items{2: {1}}},
		{"iphone.heic", 49, items{51: {49}}, items{50: {49}}, items{52: {49}, 53: {51}}},
		{"tone_map_first.heic", 49, items{51: {49}}, items{50: {49}}, items{52: {49}, 53: {51}}},
		{"tone_map_main.heic", 49, items{51: {49}}, items{50: {49}}, items{52: {49}, 53: {51}}},
		{"wide_and_to_the_end.heic", 49, items{51: {49}}, items{50: {49}}, items{52: {49}, 53: {51}}},
		{"alpha_and_depth.heic", 1, items{2: {1}, 3: {1}}, nil, items{5: {1}}},
	} {
		data := open(t, "heic-ios18/"+c.name)
		f := parse(t, data)
		p := f.Patch()
		if p == nil {
			t.Errorf("%s: no patch", c.name)
			continue
		}
		got := parse(t, apply(data, p))
		if got.primary != c.primary || got.Patch() != nil {
			t.Errorf("%s: main item %d, patched again: %t", c.name, got.primary, got.Patch() != nil)
		}
		for kind, want := range map[string]items{"auxl": c.auxl, "thmb": c.thmb, "cdsc": c.cdsc} {
			if l := items(links(got)[kind]); len(l)+len(want) > 0 && !reflect.DeepEqual(l, want) {
				t.Errorf("%s: %s: got %v, want %v", c.name, kind, l, want)
			}
		}
		// The rest of the box is as it was, in the same order.
		for i, b := range f.boxes {
			after := got.boxes[i]
			if b.kind != after.kind || b.kind != "iref" && b.kind != "pitm" && !bytes.Equal(b.content(f.content), after.content(got.content)) {
				t.Errorf("%s: %s has changed", c.name, b.kind)
			}
		}
		if !reflect.DeepEqual(got.types, f.types) {
			t.Errorf("%s: items %v", c.name, got.types)
		}
	}
	for _, name := range []string{"heic-ios18/plain.heic", "hdr-transfer/pq.avif", "hdr-transfer/pq12.heic"} {
		if parse(t, open(t, name)).Patch() != nil {
			t.Errorf("%s: a patch", name)
		}
	}
}

func TestCICP(t *testing.T) {
	for name, want := range map[string]colour.CICP{
		"hdr-transfer/pq.avif":    {Primaries: 9, Transfer: 16},
		"hdr-transfer/hlg8.avif":  {Primaries: 9, Transfer: 18},
		"hdr-transfer/p3.avif":    {Primaries: 12, Transfer: 13},
		"hdr-transfer/pq12.heic":  {Primaries: 9, Transfer: 16}, // in the HEVC stream alone
		"hdr-transfer/hlg10.heic": {Primaries: 9, Transfer: 18},
		"hdr-transfer/pq8.heic":   {Primaries: 9, Transfer: 16},
		"heic-ios18/iphone.heic":  {Primaries: 1, Transfer: 13},
	} {
		if got, ok := parse(t, open(t, name)).CICP(); !ok || got != want {
			t.Errorf("%s: %+v %t", name, got, ok)
		}
	}
	// A grid without a box of its own has the colours of its first tile.
	data := bytes.Clone(open(t, "heic-ios18/plain.heic"))
	f := parse(t, data)
	if tile := f.firstTarget("dimg", f.primary); tile != 1 {
		t.Fatalf("first tile %d", tile)
	}
	own := len(f.properties(f.primary))
	at := bytes.Index(data, []byte("ipma")) + 12
	for at < len(data) && !(data[at] == 0 && data[at+1] == 49 && int(data[at+2]) == own) {
		at++
	}
	for i := range own {
		if f.properties(f.primary)[i].kind == "colr" {
			data[at+3+i] = 0 // is no property
		}
	}
	f = parse(t, data)
	if got, ok := f.CICP(); len(f.properties(f.primary)) != own-1 || !ok || got.Transfer != 13 {
		t.Errorf("of a tile: %+v %t", got, ok)
	}
}

// The sequence header of an AVIF that has none in a "colr" box.
func TestSequenceHeader(t *testing.T) {
	// libavif leaves it out of the configuration box: this is the stream's.
	data := open(t, "hdr-transfer/pq.avif")
	at := bytes.Index(data, []byte{0x0a, 9}) // an OBU of that kind with 9 bytes
	if at < 0 {
		t.Fatal("no sequence header")
	}
	record := append([]byte{0x81, 0, 0x4c, 0}, data[at:at+2+int(data[at+1])]...)
	for name, r := range map[string][]byte{"alone": record, "with more": append(bytes.Clone(record), 0x2a, 0)} {
		if got, ok := fromSequenceHeader(r); !ok || got != (colour.CICP{Primaries: 9, Transfer: 16}) {
			t.Errorf("%s: %+v %t", name, got, ok)
		}
	}
	for n := range record {
		fromSequenceHeader(record[:n])
	}
}

func TestProfile(t *testing.T) {
	data := bytes.Clone(open(t, "heic-ios18/plain.heic"))
	if parse(t, data).HasProfile() {
		t.Error("code points are taken for a profile")
	}
	copy(data[bytes.Index(data, []byte("nclx")):], "prof")
	f := parse(t, data)
	if _, ok := nclx(f.properties(f.primary)); ok || !f.HasProfile() {
		t.Error("a profile is not seen")
	}
}

// TestHostile checks files that are cut or whose boxes have wrong lengths: Read
// returns an error, or what the intact part contains.
func TestHostile(t *testing.T) {
	data := open(t, "heic-ios18/iphone.heic")
	meta := parse(t, data).meta
	for n := range len(data) {
		_, err := Read(bytes.NewReader(data[:n]), int64(n))
		if int64(n) < meta.at+meta.length && err == nil {
			t.Errorf("%d bytes are enough", n)
		}
		if _, err := Read(bytes.NewReader(data[:n]), int64(len(data))); int64(n) < meta.at+meta.length && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("of a file that has become shorter, %d bytes: %v", n, err)
		}
	}
	// References to a great many items.
	big := full("iref", 1, nil)
	for range 20 {
		ref := make([]byte, 8+4+2+4*65535)
		binary.BigEndian.PutUint32(ref, uint32(len(ref)))
		copy(ref[4:], "cdsc")
		binary.BigEndian.PutUint16(ref[12:], 65535)
		for i := range 65535 {
			binary.BigEndian.PutUint32(ref[14+4*i:], uint32(i))
		}
		big = append(big, ref...)
	}
	binary.BigEndian.PutUint32(big, uint32(len(big)))
	file := append(box4("ftyp"), full("meta", 0, append(items(), big...))...)
	if p := parse(t, file).Patch(); p == nil || len(p.Append) > 1<<20 {
		t.Errorf("a patch of %d bytes", len(p.Append))
	}
}

func box4(kind string) []byte { return append([]byte{0, 0, 0, 8}, kind...) }

func full(kind string, version byte, content []byte) []byte {
	out := append(box4(kind), version, 0, 0, 0)
	out = append(out, content...)
	binary.BigEndian.PutUint32(out, uint32(len(out)))
	return out
}

// items are 30,000 pictures.
func items() []byte {
	var list []byte
	for i := range 30_000 {
		list = append(list, full("infe", 2, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(i)<<16), 0x68766331))...)
	}
	return full("iinf", 0, append([]byte{0x75, 0x30}, list...))
}

// FuzzRead checks that arbitrary bytes give a File or an error, and that a patched
// file needs no second patch.
func FuzzRead(f *testing.F) {
	for _, dir := range []string{"heic-ios18/*.heic", "hdr-transfer/*.avif", "hdr-transfer/*.heic"} {
		list, _ := filepath.Glob(filepath.Join(samples, dir))
		for _, path := range list {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		h.CICP()
		h.HasProfile()
		p := h.Patch()
		if p == nil {
			return
		}
		if len(p.Replace) > 3 || len(p.Append) > 16*len(data)+1000 {
			t.Errorf("%d replacements, %d bytes for %d", len(p.Replace), len(p.Append), len(data))
		}
		for _, r := range p.Replace {
			if r.At < 0 || r.At+4 > int64(len(data)) {
				t.Errorf("a replacement at %d of %d", r.At, len(data))
			}
		}
	})
}
