package photo

import "strings"

// plain are the extensions of pictures that are decoded as they are.
// SVG is left out on purpose: it is a drawing, and a program as much as a picture.
var plain = set("jpg jpeg jpe jfif png webp gif bmp tif tiff heic heif avif jxl")

// raws are the extensions of the cameras' own formats, of which the embedded
// preview is decoded.
var raws = set("cr2 cr3 crw nef nrw arw sr2 srf dng raf orf rw2 pef srw x3f " +
	"3fr erf kdc mrw mef mos iiq rwl")

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// IsPhoto reports whether a file's name ends like a photo's, in any case.
func IsPhoto(name string) bool {
	var buf [maxExt]byte
	e := extension(name, &buf)
	return plain[string(e)] || raws[string(e)] // no allocation: the compiler knows m[string(b)]
}

// IsRaw reports whether a file's name ends like that of a camera's RAW format.
func IsRaw(name string) bool {
	var buf [maxExt]byte
	return raws[string(extension(name, &buf))]
}

const maxExt = 4 // bytes in the longest extension above

// extension returns name's extension in lower case without the dot, in buf; it
// is empty if there is none or it is longer than any we know.
func extension(name string, buf *[maxExt]byte) []byte {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 || len(name)-dot-1 > maxExt {
		return nil
	}
	ext := buf[:copy(buf[:], name[dot+1:])]
	for i, c := range ext {
		if 'A' <= c && c <= 'Z' {
			ext[i] = c + 'a' - 'A'
		}
	}
	return ext
}
