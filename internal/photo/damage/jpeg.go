package damage

import "bytes"

// ErrLineEnds is the damage of a file whose line ends were changed.
const ErrLineEnds Error = "its line ends were changed, as a transfer in text mode does: transfer it again in binary mode"

// PNGLineEndsChanged reports whether head is the beginning of a PNG whose line
// ends were changed. PNG's signature contains line ends so that this shows.
func PNGLineEndsChanged(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x89PNG\r\r\n")) || bytes.HasPrefix(head, []byte("\x89PNG\n\x1a\n")) ||
		bytes.HasPrefix(head, []byte("\x89PNG\r\r\x1a\r"))
}

// JPEG holds what ScanJPEG found in the bytes of a JPEG without decoding it.
type JPEG struct {
	// HasEnd reports whether there is an end mark.
	HasEnd bool
	// LineEndsChanged reports whether a transfer in text mode inserted carriage returns.
	LineEndsChanged bool

	data        []byte
	zeros       []zeroCode
	end         int64 // the offset after the end mark, or of the end of the data
	progressive bool
	arithmetic  bool // arithmetic coding instead of Huffman codes
}

// zeroCode is a run of zeros in coded data.
type zeroCode struct {
	run
	// mayBeFlat: with the Huffman tables in force, zeros code flat blocks. That is
	// so for tables made for a picture that is flat nearly everywhere. With other
	// tables, including the standard ones, zeros code blocks with 63 equal small
	// coefficients, which no real picture contains.
	mayBeFlat bool
}

// jpegZeros is the shortest run of zeros in coded data, in bytes, that is
// examined. Few photos have one.
const jpegZeros = 64

// Marks that begin segments.
const (
	sof2  = 0xc2
	dht   = 0xc4
	sof9  = 0xc9 // this and the following up to sof15 have arithmetic coding
	sof10 = 0xca
	sof15 = 0xcf
	eoi   = 0xd9
	sos   = 0xda
	app0  = 0xe0
	app15 = 0xef
	com   = 0xfe
)

// ScanJPEG examines the bytes of a JPEG up to its end mark. What follows it, such
// as a second picture, a video or padding, is ignored.
func ScanJPEG(data []byte) *JPEG {
	j := &JPEG{data: data}
	var tables jpegTables
	text := 0 // line feeds in segments that may be text
	at := 2
	for at < len(data) {
		// A segment begins with a mark, perhaps after others of the same byte.
		i := bytes.IndexByte(data[at:], 0xff)
		if i < 0 {
			break
		}
		at += i + 1
		for at < len(data) && data[at] == 0xff {
			at++
		}
		if at >= len(data) {
			break
		}
		mark := data[at]
		at++
		if j.HasEnd = mark == eoi; j.HasEnd {
			break
		}
		if mark <= 1 || mark >= 0xd0 && mark <= 0xd8 { // without content
			continue
		}
		if at+2 > len(data) {
			break
		}
		end := at + int(data[at])<<8 + int(data[at+1])
		segment := data[min(at+2, len(data)):max(min(at+2, len(data)), min(end, len(data)))]
		at = end
		switch {
		case mark >= app0 && mark <= app15 || mark == com:
			text += bytes.Count(segment, []byte{'\n'})
		case mark == sof2:
			j.progressive = true
		case mark >= sof9 && mark <= sof15:
			j.arithmetic, j.progressive = true, j.progressive || mark == sof10
		case mark == dht:
			tables.define(segment)
		case mark == sos:
			end = codedEnd(data, at)
			j.findZeros(at, end, tables.zerosMayBeFlat(segment))
			at = end
		}
	}
	// One in 256 random bytes is a line feed, and one in 256 of these follows a
	// carriage return by chance. So a few are enough.
	const minLineFeeds = 4
	read := data[:min(at, len(data))]
	j.end = int64(len(read))
	j.LineEndsChanged = lineEndsChanged(read) && bytes.Count(read, []byte{'\n'})-text >= minLineFeeds
	return j
}

// Suspicious reports whether the decoder's warnings are needed to tell if the
// file is damaged.
func (j *JPEG) Suspicious() bool { return len(j.zeros) > 0 }

// codedEnd returns the offset after the coded data at offset at: that of the next
// mark that is no restart, or of the end of data.
func codedEnd(data []byte, at int) int {
	for at < len(data) {
		i := bytes.IndexByte(data[at:], 0xff)
		if i < 0 || at+i+1 >= len(data) {
			return len(data)
		}
		at += i
		if m := data[at+1]; m != 0 && m != 0xff && (m < 0xd0 || m > 0xd7) {
			return at
		}
		at++
	}
	return len(data)
}

// findZeros records the runs of zeros in the coded data from one offset to another.
func (j *JPEG) findZeros(from, to int, mayBeFlat bool) {
	const maxRuns = 100
	if from < to && len(j.zeros) < maxRuns {
		findZeros(bytes.NewReader(j.data), int64(from), int64(to), jpegZeros, func(z run) bool {
			j.zeros = append(j.zeros, zeroCode{z, mayBeFlat})
			return len(j.zeros) < maxRuns
		})
	}
}

// lineEndsChanged reports whether every line feed in data has a carriage return
// before it.
func lineEndsChanged(data []byte) bool {
	for at := 0; ; at++ {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return true
		}
		at += i
		if at == 0 || data[at-1] != '\r' {
			return false
		}
	}
}

// jpegTables holds, for each Huffman table defined so far, the symbol that zeros
// code. It is the first one, since codes are assigned in order. The indices are
// the table's class (0: DC, 1: AC) and its number.
type jpegTables [2][4]byte

func (t *jpegTables) define(segment []byte) {
	const lengths = 16
	for len(segment) > lengths {
		class, number := segment[0]>>4&1, segment[0]&3
		n := 0
		for _, c := range segment[1 : 1+lengths] {
			n += int(c)
		}
		if segment = segment[1+lengths:]; n == 0 || n > len(segment) {
			return
		}
		t[class][number] = segment[0]
		segment = segment[n:]
	}
}

// zerosMayBeFlat reports whether zeros may code flat blocks in the scan with this
// header.
func (t *jpegTables) zerosMayBeFlat(header []byte) bool {
	if len(header) < 1 || len(header) < 1+2*int(header[0])+3 {
		return true // not known
	}
	n := int(header[0])
	first, last, approximation := header[1+2*n], header[2+2*n], header[3+2*n]
	refines := approximation>>4 != 0
	for i := range n {
		ids := header[2+2*i]
		if first == 0 && !refines && t[0][ids>>4&3] != 0 {
			return false // each block would be darker than the one before
		}
		// The lower half of a symbol is the number of bits of the value that
		// follows. 0xf0 stands for 16 zero coefficients, with more to follow.
		if ac := t[1][ids&3]; last > 0 && (ac&0x0f != 0 || ac == 0xf0) {
			return false
		}
	}
	return true
}
