package identity

import (
	"bytes"
	"encoding/binary"
	"hash"

	"photodesc/internal/photo/raw"
)

// Markers of a JPEG (ITU-T T.81, table B.1).
const (
	markSOI  = 0xd8
	markEOI  = 0xd9
	markSOS  = 0xda
	markRST0 = 0xd0
	markRST7 = 0xd7
	markTEM  = 0x01
	markAPP0 = 0xe0
	markCOM  = 0xfe
)

// JPEG hashes the picture of a JPEG in memory: its tables, frames and scans up to its end, the Adobe segment and the ICC profile,
// which decide about its colours, and its orientation, else the one given (EXIF, 0: none). What does not look like a JPEG
// counts as it is.
func JPEG(data []byte, orientation int) string {
	h := begin("jpeg")
	own, rest := 0, data
	for len(rest) > 0 {
		segment, length, ok := nextSegment(rest)
		if !ok {
			h.Write(rest)
			break
		}
		marker := rest[1]
		switch {
		case marker >= markAPP0 && marker <= markAPP0+15:
			if o := appSegment(h, marker, segment); own == 0 {
				own = o
			}
		case marker == markCOM:
		default:
			h.Write(segment)
		}
		rest = rest[length:]
		if marker == markEOI {
			break
		}
	}
	if own == 0 {
		own = orientation
	}
	number(h, int64(uprightIfNone(own)))
	return sum(h)
}

// nextSegment returns the segment that data begin with, the coded data behind a scan's header included, and how many bytes it
// takes with the fill bytes behind it.
func nextSegment(data []byte) (segment []byte, length int, ok bool) {
	if len(data) < 2 || data[0] != 0xff {
		return nil, 0, false
	}
	end := 2
	switch marker := data[1]; {
	case marker == 0xff || marker == 0:
		return nil, 0, false
	case marker == markSOI, marker == markEOI, marker == markTEM, marker >= markRST0 && marker <= markRST7:
	default:
		if len(data) < 4 {
			return nil, 0, false
		}
		size := int(binary.BigEndian.Uint16(data[2:]))
		if size < 2 || 2+size > len(data) {
			return nil, 0, false
		}
		end += size
		if marker == markSOS {
			end += codedLength(data[end:])
		}
	}
	next := end
	for next+1 < len(data) && data[next] == 0xff && data[next+1] == 0xff {
		next++
	}
	return data[:end], next, true
}

// codedLength is how many bytes precede the next marker other than a restart.
func codedLength(data []byte) int {
	for at := 0; ; at += 2 {
		next := bytes.IndexByte(data[at:], 0xff)
		if next < 0 || at+next+1 >= len(data) {
			return len(data)
		}
		at += next
		if c := data[at+1]; c != 0 && (c < markRST0 || c > markRST7) {
			return at
		}
	}
}

// appSegment hashes what an APPn segment says of colours, and returns the orientation in its EXIF, 0 if there is none.
func appSegment(h hash.Hash, marker byte, segment []byte) (orientation int) {
	content := segment[4:]
	switch {
	case marker == markAPP0+1 && bytes.HasPrefix(content, []byte("Exif\x00\x00")):
		return raw.Orientation(content[6:])
	case marker == markAPP0+2 && bytes.HasPrefix(content, []byte("ICC_PROFILE\x00")):
		h.Write(segment)
	case marker == markAPP0+14 && bytes.HasPrefix(content, []byte("Adobe")):
		h.Write(content[:min(len(content), 12)])
	}
	return 0
}

func uprightIfNone(orientation int) int { return max(1, orientation) }
