// Package embedded reads from inside photos what a sidecar must not hide: XMP, and what
// persons have written into EXIF and IPTC.
package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bep/imagemeta"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/xmp"
)

// maxPacket is how large embedded XMP may be, in bytes. In JPEG it has 64 kB at most; the
// rest of more, which says nothing that a sidecar needs, is in segments of its own.
const maxPacket = 8 << 20

// maxText is how long a text of EXIF or IPTC may be, in bytes.
const maxText = 1<<16 - 1

// patience is how long the library may take over a file, however it is made.
const patience = 30 * time.Second

// formats are those that the library reads. RAW formats are mostly TIFF.
var formats = map[string]imagemeta.ImageFormat{
	photo.FormatJPEG: imagemeta.JPEG, photo.FormatPNG: imagemeta.PNG, photo.FormatWebP: imagemeta.WebP,
	photo.FormatTIFF: imagemeta.TIFF, photo.FormatHEIF: imagemeta.HEIF, photo.FormatAVIF: imagemeta.AVIF,
}

// Read reads the metadata of a photo. The error says why its XMP, if it has any, is not
// known; what is known is returned all the same. EXIF and IPTC that are damaged count as not
// there.
func Read(path string) (xmp.Embedded, error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return xmp.Embedded{}, err
	}
	defer f.Close()
	return read(f, photo.IsRaw(path))
}

func read(r io.ReadSeeker, raw bool) (in xmp.Embedded, err error) {
	head := make([]byte, photo.SniffLen)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return in, err
	}
	format, known := formats[photo.Sniff(head[:n])]
	if !known {
		in.Packet, err = packet(r)
		return in, err
	}
	begun := time.Now()
	if format == imagemeta.PNG {
		in.Packet, err = readPNG(r)
	} else {
		in.Packet, err = readXMP(r, format)
	}
	if err != nil && raw {
		in.Packet, err = packet(r)
	}
	if err != nil && time.Since(begun) >= patience {
		return in, err // the library may still be at it
	}
	values := map[string][]string{}
	for _, source := range []imagemeta.Source{imagemeta.IPTC, imagemeta.EXIF} {
		readFields(r, format, source, values)
	}
	in.Fields = fields(values)
	return in, err
}

func readXMP(r io.ReadSeeker, format imagemeta.ImageFormat) (packet []byte, err error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	_, err = imagemeta.Decode(imagemeta.Options{R: r, ImageFormat: format, Sources: imagemeta.XMP, Timeout: patience,
		HandleXMP: func(x io.Reader) error {
			data, err := io.ReadAll(io.LimitReader(x, maxPacket+1))
			if len(data) > maxPacket {
				err = fmt.Errorf("its XMP is larger than %d MiB", maxPacket>>20)
			}
			if len(packet) == 0 {
				packet = data
			}
			return err
		}})
	return packet, err
}

// readFields adds the values of a source that are wanted and not there yet.
func readFields(r io.ReadSeeker, format imagemeta.ImageFormat, source imagemeta.Source, values map[string][]string) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return
	}
	found := map[string][]string{}
	begun := time.Now()
	_, _ = imagemeta.Decode(imagemeta.Options{R: r, ImageFormat: format, Sources: source, LimitTagSize: maxText, Timeout: patience,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return wanted[source][t.Tag] != "" || t.Tag == "CodedCharacterSet" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if wanted[source][t.Tag] == "" {
				return nil
			}
			for _, text := range texts(t.Value) {
				if t.Tag != "ImageDescription" || !xmp.OfCamera(text) {
					found[wanted[source][t.Tag]] = append(found[wanted[source][t.Tag]], text)
				}
			}
			return nil
		}})
	if time.Since(begun) >= patience {
		return // the library may still be at it
	}
	for name, list := range found {
		if len(values[name]) == 0 {
			values[name] = list
		}
	}
}

// wanted are the names that values of IPTC and EXIF have in XMP.
var wanted = map[imagemeta.Source]map[string]string{
	imagemeta.EXIF: {"ImageDescription": "dc:description", "Artist": "dc:creator", "Copyright": "dc:rights"},
	imagemeta.IPTC: {
		"Caption-Abstract": "dc:description", "ObjectName": "dc:title", "Keywords": "dc:subject", "By-line": "dc:creator",
		"CopyrightNotice": "dc:rights", "Headline": "photoshop:Headline", "City": "photoshop:City", "Province-State": "photoshop:State",
		"Country-PrimaryLocationName": "photoshop:Country", "Sub-location": "Iptc4xmpCore:Location",
		"Country-PrimaryLocationCode": "Iptc4xmpCore:CountryCode", "By-lineTitle": "photoshop:AuthorsPosition",
		"Credit": "photoshop:Credit", "Source": "photoshop:Source", "SpecialInstructions": "photoshop:Instructions",
		"Writer-Editor": "photoshop:CaptionWriter", "OriginalTransmissionReference": "photoshop:TransmissionReference",
	},
}

// kinds are the forms of the names that are no plain text.
var kinds = map[string]string{
	"dc:description": "Alt", "dc:title": "Alt", "dc:rights": "Alt", "dc:creator": "Seq", "dc:subject": "Bag",
}

// order is that in which the fields are written.
var order = []string{
	"dc:title", "dc:description", "dc:subject", "dc:creator", "dc:rights",
	"photoshop:AuthorsPosition", "photoshop:CaptionWriter", "photoshop:City", "photoshop:Country", "photoshop:Credit",
	"photoshop:Headline", "photoshop:Instructions", "photoshop:Source", "photoshop:State", "photoshop:TransmissionReference",
	"Iptc4xmpCore:CountryCode", "Iptc4xmpCore:Location",
}

func fields(values map[string][]string) (list []xmp.Field) {
	for _, name := range order {
		if len(values[name]) > 0 {
			list = append(list, xmp.Field{Name: name, Kind: kinds[name], Values: values[name]})
		}
	}
	return list
}

// texts are the texts of a value that say something.
func texts(value any) (list []string) {
	switch v := value.(type) {
	case string:
		list = []string{v}
	case []string:
		list = v
	case []byte:
		list = []string{string(v)}
	}
	var said []string
	for _, s := range list {
		if s = strings.TrimSpace(strings.Trim(unmarked(s), "\x00")); s != "" {
			said = append(said, s)
		}
	}
	return said
}

// unmarked returns a text that the library has read as Latin-1, because the file does not
// say that it is UTF-8, as what it is: other text in Latin-1 is hardly ever valid UTF-8.
func unmarked(s string) string {
	latin := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return s
		}
		latin = append(latin, byte(r))
	}
	if utf8.Valid(latin) {
		return string(latin)
	}
	return s
}

// searched is how much of a file of another format is searched for XMP, in bytes. RAW
// formats have it near the beginning.
const searched = 2 << 20

// packet finds XMP by the marks around it, which exist for readers that do not know a
// format.
func packet(r io.ReadSeeker) ([]byte, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, searched))
	if err != nil {
		return nil, err
	}
	from := bytes.Index(data, []byte("<?xpacket begin="))
	if from < 0 {
		return nil, nil
	}
	to := bytes.Index(data[from:], []byte("<?xpacket end="))
	if to < 0 {
		return nil, fmt.Errorf("its XMP does not end within %d MiB", searched>>20)
	}
	end := bytes.Index(data[from+to:], []byte("?>"))
	if end < 0 {
		return nil, errors.New("its XMP has no end")
	}
	return data[from : from+to+end+2], nil
}
