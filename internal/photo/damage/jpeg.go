package damage

import "bytes"

// ErrLineEnds is what is wrong with a JPEG with LineEnds, and with what
// LineEnds finds.
const ErrLineEnds Error = "its line ends were changed, as a transfer in text mode does: transfer it again in binary mode"

// LineEnds reports whether a file that is no PNG any more begins like one that
// was taken for text. Its first bytes were chosen to show this.
func LineEnds(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\x89PNG\r\r\n")) || bytes.HasPrefix(head, []byte("\x89PNG\n\x1a\n")) ||
		bytes.HasPrefix(head, []byte("\x89PNG\r\r\x1a\r"))
}

// JPEG is what was found in the bytes of a JPEG without decoding it.
type JPEG struct {
	// Whole: there is an end mark.
	Whole bool
	// LineEnds: bytes were put in by a program that took it for text.
	LineEnds bool

	data        []byte
	zeros       []zeroCode
	end         int64 // of what was read: behind the end mark if there is one
	progressive bool
	arithmetic  bool // coded, instead of Huffman's codes
}

// zeroCode is a run of zeros in coded data.
type zeroCode struct {
	run
	// flat: the tables in force code flat blocks with zeros, as they do where
	// they were made for a picture that is flat nearly everywhere. With others,
	// the standard ones among them, zeros code 63 times the same faint wave,
	// which is in no picture.
	flat bool
}

// jpegZeros is how many zeros in coded data are looked at. Few photos have any.
const jpegZeros = 64

// Marks that begin segments.
const (
	sof2  = 0xc2
	dht   = 0xc4
	sof9  = 0xc9 // from here on arithmetic coding
	sof10 = 0xca
	sof15 = 0xcf
	eoi   = 0xd9
	sos   = 0xda
	app0  = 0xe0
	app15 = 0xef
	com   = 0xfe
)

// ScanJPEG looks at a JPEG's bytes up to its end mark. What follows, such as a
// second picture, a film or padding, is none of it.
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
		if j.Whole = mark == eoi; j.Whole {
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
			end = coded(data, at)
			j.findZeros(at, end, tables.zerosAreFlat(segment))
			at = end
		}
	}
	// Of random bytes one in 256 is a line feed, and one in 256 of those stands
	// behind a carriage return by chance.
	const enough = 4
	read := data[:min(at, len(data))]
	j.end = int64(len(read))
	j.LineEnds = lineEndsChanged(read) && bytes.Count(read, []byte{'\n'})-text >= enough
	return j
}

// Suspicious reports whether decoding must be watched to tell if it is damaged.
func (j *JPEG) Suspicious() bool { return len(j.zeros) > 0 }

// coded returns where the coded data that begin at at end: at a mark that is no
// restart, or at the end of data.
func coded(data []byte, at int) int {
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

func (j *JPEG) findZeros(from, to int, flat bool) {
	const most = 100
	if from < to && len(j.zeros) < most {
		zeros(bytes.NewReader(j.data), int64(from), int64(to), jpegZeros, func(z run) bool {
			j.zeros = append(j.zeros, zeroCode{z, flat})
			return len(j.zeros) < most
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

// jpegTables are the Huffman tables defined so far: of each only what zeros
// code, which is the first symbol since codes are given in order. The index has
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

// zerosAreFlat reports whether zeros may code flat blocks in the scan with this
// header.
func (t *jpegTables) zerosAreFlat(header []byte) bool {
	if len(header) < 1 || len(header) < 1+2*int(header[0])+3 {
		return true // not known
	}
	n := int(header[0])
	first, last, approximation := header[1+2*n], header[2+2*n], header[3+2*n]
	refines := approximation>>4 != 0
	for i := range n {
		ids := header[2+2*i]
		if first == 0 && !refines && t[0][ids>>4&3] != 0 {
			return false // each block is darker than the one before
		}
		// The lower half of a symbol is how long a value follows. 0xf0 stands for
		// 16 values of zero and more to come.
		if ac := t[1][ids&3]; last > 0 && (ac&0x0f != 0 || ac == 0xf0) {
			return false
		}
	}
	return true
}
