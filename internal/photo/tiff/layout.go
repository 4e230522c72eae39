package tiff

import "fmt"

// Reader is the decoder that gives a picture the right colours.
type Reader int

const (
	// Plain is any TIFF decoder.
	Plain Reader = iota
	// Samples separates the samples and scales each one.
	Samples
	// RGBA is libtiff's own conversion to RGB.
	RGBA
	// Raw is for a camera's sensor data, for which the file may have a preview.
	Raw
)

// Layout is how a picture's samples are to be decoded.
type Layout struct {
	Reader      Reader
	Photometric int // as in the file, or derived from other tags if it is missing
	Colours     int // how many samples of a pixel, from the first, are colours
	Alpha       int // the index of the alpha sample, from 0; -1: none

	// Premultiplied reports whether the colours have been multiplied by alpha.
	Premultiplied bool
}

// UnsupportedError is why the samples of an intact file cannot be decoded.
type UnsupportedError string

func (e UnsupportedError) Error() string { return string(e) }

func unsupported(format string, args ...any) error {
	return UnsupportedError(fmt.Sprintf(format, args...))
}

// The values of Photometric.
const (
	minIsWhite = 0
	minIsBlack = 1
	photoRGB   = 2
	palette    = 3
	mask       = 4
	separated  = 5
	yCbCr      = 6
	cieLab     = 8
	iccLab     = 9
	cfa        = 32803
	logL       = 32844
	logLuv     = 32845
	linearRaw  = 34892
)

// Values of Compression.
const (
	oldJPEG = 6
	jpeg    = 7
)

// The values of SampleFormat.
const (
	formatUint    = 1
	formatInt     = 2
	formatFloat   = 3
	formatUnknown = 4 // read as unsigned
)

// The values of ExtraSamples for alpha.
const (
	associatedAlpha   = 1
	unassociatedAlpha = 2
)

// Values of Compression for fax, and for decoders that convert YCbCr to RGB.
const (
	fax3Plain    = 2
	fax4         = 4
	aperioJPEG2K = 33003
	jpeg2K       = 34712
)

// Layout returns how the picture is to be decoded, or an UnsupportedError.
func (d Directory) Layout() (Layout, error) {
	l := Layout{Photometric: d.photometric(), Alpha: -1}
	switch {
	case l.Photometric == cfa, l.Photometric == linearRaw:
		l.Reader = Raw
		return l, nil
	case d.Compression == oldJPEG, l.Photometric == logL, l.Photometric == logLuv:
		l.Reader, l.Colours = RGBA, 3
		return l, nil
	}
	var err error
	if l.Colours, err = d.colours(l.Photometric); err != nil {
		return l, err
	}
	if err := d.checkSamples(l); err != nil {
		return l, err
	}
	for i, extra := range d.ExtraSamples {
		// The extra samples are the last ones, however many colours there are.
		at := d.Samples - len(d.ExtraSamples) + i
		if at >= l.Colours && (extra == associatedAlpha || extra == unassociatedAlpha) {
			l.Alpha, l.Premultiplied = at, extra == associatedAlpha
			break
		}
	}
	switch {
	case l.Photometric == yCbCr && !d.decodedAsRGB():
		l.Reader = RGBA
	case !d.isPlain(l):
		l.Reader = Samples
	}
	return l, nil
}

// photometric returns the file's Photometric or, if it is missing, the value that
// follows from the other tags.
func (d Directory) photometric() int {
	switch {
	case d.Photometric == photoRGB && d.Samples < 3: // some programs always write RGB
		return minIsBlack
	case d.Photometric >= 0:
		return d.Photometric
	case d.Samples >= 3:
		return photoRGB
	case d.Compression >= fax3Plain && d.Compression <= fax4:
		return minIsWhite
	}
	return minIsBlack
}

// colours returns how many samples are colours.
func (d Directory) colours(photometric int) (int, error) {
	switch photometric {
	case minIsBlack:
		// Several bands without a meaning, such as a satellite's, are taken as RGB.
		extra := d.ExtraSamples
		if d.Samples >= 3 && (len(extra) == 0 || len(extra) == d.Samples-1 && extra[0] == 0 && extra[1] == 0) {
			return 3, nil
		}
		return 1, nil
	case minIsWhite, mask, palette:
		return 1, nil
	case photoRGB, cieLab, iccLab:
		return 3, nil
	case separated:
		if d.Inks != 1 {
			return 0, unsupported("its colours are inks other than CMYK")
		}
		return 4, nil
	case yCbCr:
		return 3, nil
	}
	return 0, unsupported("its colours are of a kind that is not known (photometric interpretation %d)", photometric)
}

// checkSamples returns an error if samples of this kind are not supported.
func (d Directory) checkSamples(l Layout) error {
	bits, format := d.Bits[0], d.Format[0]
	for _, b := range d.Bits {
		if b != bits {
			return unsupported("its samples have different numbers of bits (%d and %d)", bits, b)
		}
	}
	for _, f := range d.Format {
		if f != format {
			return unsupported("its samples are numbers of different kinds")
		}
	}
	whole := format == formatUint || format == formatUnknown
	switch {
	case d.Samples < l.Colours:
		return unsupported("it has %d samples a pixel, and its colours need %d", d.Samples, l.Colours)
	case d.Indexed && l.Photometric != palette:
		return unsupported("its samples are indices into a table of another colour space")
	case d.Compression == jpeg && bits != 8:
		return unsupported("its JPEG data has %d bits a sample, and 8 are read", bits)
	case l.Photometric == yCbCr && (bits != 8 || d.Samples != 3 || !whole):
		return unsupported("it has %d YCbCr samples of %d bits a pixel, and 3 of 8 bits are read", d.Samples, bits)
	case l.Photometric == palette && (bits > 16 || !whole):
		return unsupported("its palette has indices of %d bits, and 16 are read", bits)
	case l.Photometric == cieLab || l.Photometric == iccLab:
		// For whole numbers the format is ignored: a and b may be signed, and files differ in how they declare it.
		if bits != 8 && bits != 16 || format == formatFloat {
			return unsupported("its Lab colours have samples of %d bits, and whole numbers of 8 or 16 are read", bits)
		}
		return nil
	}
	switch {
	case whole, format == formatInt:
		if bits >= 1 && bits <= 32 || bits == 64 {
			return nil
		}
	case format == formatFloat:
		if bits == 16 || bits == 24 || bits == 32 || bits == 64 {
			return nil
		}
	default:
		return unsupported("its samples are not real numbers (sample format %d)", format)
	}
	return unsupported("its samples have %d bits", bits)
}

// decodedAsRGB reports whether the decoder of a YCbCr picture returns RGB.
func (d Directory) decodedAsRGB() bool {
	switch d.Compression {
	case jpeg:
		return !d.Planar
	case aperioJPEG2K, jpeg2K:
		return true
	}
	return false
}

// isPlain reports whether any decoder gets the colours right: the samples are
// unsigned numbers of common widths, with at most one more sample for alpha that is
// not premultiplied. Planes in tiles or of less than 8 bits are rare, and not every
// decoder supports them.
func (d Directory) isPlain(l Layout) bool {
	samples := l.Colours
	if l.Alpha >= 0 {
		samples++
	}
	if d.Samples != samples || l.Premultiplied || d.Format[0] != formatUint || d.Photometric != l.Photometric {
		return false
	}
	bits := d.Bits[0]
	if d.Planar && (d.Tiled || bits < 8) {
		return false
	}
	switch l.Photometric {
	case minIsWhite, minIsBlack:
		return l.Colours == 1 && (bits == 8 || bits == 16 || bits == 1 && l.Alpha < 0)
	case photoRGB:
		return bits == 8 || bits == 16
	case separated:
		return (bits == 8 || bits == 16) && l.Alpha < 0
	case palette:
		return bits == 8 && l.Alpha < 0
	case yCbCr:
		return true
	}
	return false
}
