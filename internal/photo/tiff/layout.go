package tiff

import "fmt"

// Reader is what can decode a picture so that it has the right colours.
type Reader int

const (
	// Plain is any TIFF decoder.
	Plain Reader = iota
	// Samples takes the samples apart and scales them one by one.
	Samples
	// RGBA is libtiff's own conversion to RGB.
	RGBA
	// Raw means a camera's sensor data; a preview may lie beside it.
	Raw
)

// Layout says how a picture's samples are to be read.
type Layout struct {
	Reader      Reader
	Photometric int // as the file says, or follows from the rest where it does not
	Colours     int // how many samples of a pixel, from the first, are its colours
	Alpha       int // which sample is its alpha, from 0; -1: none

	// Premultiplied: the colours have been multiplied by alpha.
	Premultiplied bool
}

// UnsupportedError says why the samples of a whole file cannot be made colours.
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

// Those of Compression that matter.
const (
	oldJPEG = 6
	jpeg    = 7
)

// Those of SampleFormat.
const (
	formatUint    = 1
	formatInt     = 2
	formatFloat   = 3
	formatUnknown = 4 // read as unsigned
)

// Those of ExtraSamples that are alpha.
const (
	associatedAlpha   = 1
	unassociatedAlpha = 2
)

// Compressions that make RGB of YCbCr themselves when they are read, and those of fax.
const (
	fax3Plain    = 2
	fax4         = 4
	aperioJPEG2K = 33003
	jpeg2K       = 34712
)

// Layout returns how the picture is to be read, or an UnsupportedError.
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
		// They are the last samples, however many the colours are.
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

// photometric is the file's, or what follows from the rest.
func (d Directory) photometric() int {
	switch {
	case d.Photometric == photoRGB && d.Samples < 3: // some programs call all that RGB
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

// colours is how many samples are colours.
func (d Directory) colours(photometric int) (int, error) {
	switch photometric {
	case minIsBlack:
		// Several bands without a meaning, as of a satellite: by their order, as RGB.
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

// checkSamples says why samples of such a kind cannot be read.
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
		// Of whole numbers the format is not looked at: a and b may be signed, and files differ in saying so.
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
		return unsupported("its samples are no real numbers (sample format %d)", format)
	}
	return unsupported("its samples have %d bits", bits)
}

// decodedAsRGB reports whether a YCbCr picture's decoder makes RGB of it.
func (d Directory) decodedAsRGB() bool {
	switch d.Compression {
	case jpeg:
		return !d.Planar
	case aperioJPEG2K, jpeg2K:
		return true
	}
	return false
}

// isPlain reports whether any decoder gets the colours right: unsigned numbers
// of usual widths and, at most, one more sample for alpha that colours do not
// depend on. Planes in tiles or of single bits are rare, and not every decoder has them.
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
