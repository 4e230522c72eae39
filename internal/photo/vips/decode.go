package vips

/*
#include "decode.h"
*/
import "C"

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"photodesc/internal/photo"
	"photodesc/internal/photo/colour"
	"photodesc/internal/photo/damage"
	"photodesc/internal/photo/identity"
)

// Options are what the caller needs, and limits.
type Options struct {
	// Longest is the longest edge needed, in pixels. The decoded picture is at least
	// this long, unless the photo itself is shorter, and at most a little more than
	// twice as long. 0 means the size of the photo.
	Longest int

	// MaxPixels is how many pixels the photo may have as stored; 0: DefaultMaxPixels.
	MaxPixels int64

	// MaxBytes is how much memory decoding may take, by an estimate that tends to be
	// too high and excludes the returned copy; 0: DefaultMaxBytes.
	MaxBytes int64

	// signal is the colour encoding of the samples if libvips does not apply it;
	// nil if libvips does.
	signal *colour.Signal
}

// The limits that apply if Options has 0.
const (
	DefaultMaxPixels = 500_000_000 // a panorama of 50,000 × 10,000
	DefaultMaxBytes  = 2 << 30     // of memory for one photo
)

// Image is a decoded photo: upright, sRGB, 8 bits, over white.
type Image struct {
	Width, Height int    // of Pix, in pixels
	Pix           []byte // red, green, blue; row by row from the top left; Width*Height*3

	// OrigWidth and OrigHeight are the size of the whole upright photo, before any
	// shrinking. Compute tiles from these, because Width:Height is rounded.
	OrigWidth, OrigHeight int

	// Metadata is from the file's EXIF. Missing fields are empty.
	Metadata photo.Metadata

	// Format is the format by the file's content, such as photo.FormatJPEG. It is
	// photo.FormatRAW for the preview in a RAW file.
	Format string

	// Size of the file in bytes, and when it was last changed. ModTime is zero if it is
	// not known.
	Size    int64
	ModTime time.Time
	// ID has the hashes of the file; it is empty if the file was changed while it was read.
	ID identity.ID

	pages int // frames of an animation, otherwise 0
	exif  photo.ExifFields
}

// Decode decodes the photo at path. It shrinks a large photo while it decodes, as
// far as opts.Longest allows and only so that later resampling to the needed size
// gives the same result. A photo of up to twice the needed size keeps the pixels of
// the file, but JPEG and WebP may be shrunk by their decoders.
//
// Errors are of type *photo.Error, except if Startup was not called. Decode may be
// called by several goroutines at once.
func Decode(path string, opts Options) (*Image, error) {
	untrusted, err := started()
	if err != nil {
		return nil, err
	}
	if opts.MaxPixels == 0 {
		opts.MaxPixels = DefaultMaxPixels
	}
	if opts.MaxBytes == 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	f, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.load(opts); err != nil {
		return nil, err
	}
	img, err := decodeOpened(f, opts, untrusted)
	var bad *photo.Error
	if errors.As(err, &bad) {
		bad.Size, bad.ModTime = f.size, f.modTime
	}
	if err != nil {
		return nil, err
	}
	img.Metadata, img.Size, img.ModTime = photo.ParseExif(img.exif), f.size, f.modTime
	// A file that cannot be read again, or was changed meanwhile, stays without hashes.
	img.ID, _ = f.identify()
	return img, nil
}

func decodeOpened(f *file, opts Options, untrusted bool) (*Image, error) {
	path, format := f.path, photo.Sniff(f.head)
	if format == "" && damage.PNGLineEndsChanged(f.head) {
		return nil, damaged(path, damage.ErrLineEnds)
	}
	if format == "" {
		if zeros, err := f.onlyZeros(); err != nil {
			return nil, err
		} else if zeros {
			return nil, photo.Errorf(photo.Unreadable, path,
				"it holds only zeros: the disk or card it was on has lost it; restore it from a backup")
		}
	}
	switch {
	case format == photo.FormatRAW, format == photo.FormatTIFF && photo.IsRaw(path):
		return decodeRaw(f, opts, untrusted)
	case format == photo.FormatBMP:
		return decodeBMP(f, opts)
	}
	if err := mayTry(path, format, untrusted); err != nil {
		return nil, err
	}
	var img *Image
	var err error
	if format == photo.FormatTIFF {
		img, err = decodeTIFF(f, opts, untrusted)
	} else {
		img, err = decodeFile(f, format, opts)
	}
	if errors.Is(err, errNoLoader) && loaderOf(format) != "" {
		// libvips checks more than the first bytes before it selects a loader.
		return nil, photo.Errorf(photo.Unreadable, path, "it is damaged or cut short: only its first bytes are those of a %s", format)
	}
	return img, err
}

// errNoLoader means that libvips does not recognise a file's format.
var errNoLoader = errors.New("libvips does not know its format")

// mayTry returns an error if libvips must not be used for a format.
func mayTry(path, format string, untrusted bool) error {
	switch format {
	case photo.FormatSVG, photo.FormatPDF, photo.FormatMP4:
		return photo.Errorf(photo.Unsupported, path, "it is no photo, by its content it is a file of the kind %s", format)
	case "":
		if !untrusted {
			return photo.Errorf(photo.Unsupported, path, "by its content it is no picture of a known format: it is damaged, or something else under a photo's name")
		}
		return nil
	}
	loader := loaderOf(format)
	if loader == "" { // known to us, but libvips has no loader of its own
		if !untrusted {
			return photo.Errorf(photo.Unsupported, path, "no trusted loader reads %s: save it as JPEG", format)
		}
		return nil
	}
	switch canLoad(loader) {
	case Blocked:
		return photo.Errorf(photo.Unsupported, path, "libvips' loader for %s is not safe with files from strangers and is blocked"+
			"\nto let it be tried, run with --untrusted-loaders", format)
	case Missing:
		return photo.Errorf(photo.Unsupported, path, "this libvips (%s) reads no %s: install one that does", Version(), format)
	}
	return nil
}

// decodeFile decodes the whole file with libvips.
func decodeFile(f *file, format string, opts Options) (*Image, error) {
	// These loaders map a file into memory, and a file that shrinks meanwhile would
	// crash the process. So they always get a copy in memory.
	mapped := format == photo.FormatWebP || format == photo.FormatGIF
	in := input{file: f}
	if f.whole() || mapped {
		size := f.size
		if format == photo.FormatWebP {
			size = min(size, webpSize(f.head))
		}
		if size > opts.MaxBytes {
			return nil, tooMuchMemory(f.path, size, opts)
		}
		data, err := f.read(size)
		if err != nil {
			return nil, err
		}
		in.data = data
	}
	if err := in.checkDamage(format, opts); err != nil {
		return nil, err
	}
	switch format {
	case photo.FormatHEIF, photo.FormatAVIF:
		return decodeHEIF(in, opts)
	case photo.FormatPNG:
		return decodePNG(in, opts)
	case photo.FormatGIF, photo.FormatWebP, photo.FormatJXL:
		return decodeAnimation(in, opts)
	}
	if in.data == nil {
		return in.decode(noRequest, opts)
	}
	return decodeBytes(f.path, in.data, 0, opts)
}

// webpSize returns the size in bytes that a WebP's header declares. Anything may
// follow, even gigabytes.
func webpSize(head []byte) int64 {
	const before = 8 // "RIFF" and the length itself
	length := int64(binary.LittleEndian.Uint32(head[4:]))
	return before + length + length&1 // padded to an even length
}

// decodeBytes decodes a file's bytes with libvips. orientation (EXIF, 0: none) is
// used if the file has none itself.
func decodeBytes(path string, data []byte, orientation int, opts Options) (*Image, error) {
	if photo.Sniff(data[:min(len(data), photo.SniffLen)]) == photo.FormatJPEG {
		return decodeJPEG(path, data, orientation, opts)
	}
	return withData(path, data, C.pd_request{orientation: C.int(orientation)}, opts)
}

// decodePixels has libvips process pixels as if they were decoded from a file: 8
// bits a sample, 1 (grey), 3 (RGB) or 4 (RGBA) bands a pixel, rows without padding.
func decodePixels(path string, pix []byte, width, height, bands int, opts Options) (*Image, error) {
	req := C.pd_request{raw_width: C.int(width), raw_height: C.int(height), raw_bands: C.int(bands)}
	return withData(path, pix, req, opts)
}

func withData(path string, data []byte, req C.pd_request, opts Options) (*Image, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&data[0])
	req.fd, req.data, req.size = -1, unsafe.Pointer(&data[0]), C.size_t(len(data))
	return call(path, &req, opts)
}

// gate separates errors of concurrent decodes, because libvips has one error buffer
// for the whole process. Decodes share the gate. One that failed is repeated with
// exclusive access to learn why.
var gate sync.RWMutex

func call(path string, req *C.pd_request, opts Options) (*Image, error) {
	req.longest = C.int(opts.Longest)
	req.max_pixels = C.int64_t(opts.MaxPixels)
	req.max_bytes = C.int64_t(opts.MaxBytes)
	if opts.signal != nil {
		req.samples = 1
	}

	var res C.pd_result
	gate.RLock()
	C.pd_decode(req, &res)
	gate.RUnlock()
	switch {
	case req.fail_on == C.PD_FAIL_ON_WARNING: // the caller decodes it again anyway
	case res.status == C.PD_UNREADABLE, res.status == C.PD_UNSUPPORTED, res.status == C.PD_KIND_NOT_READ:
		gate.Lock()
		C.vips_error_clear()
		C.pd_decode(req, &res)
		C.vips_error_clear()
		gate.Unlock()
	}
	if res.status != C.PD_OK {
		return nil, failure(path, &res, opts)
	}
	defer C.g_free(C.gpointer(res.pixels))
	img := &Image{
		Width: int(res.width), Height: int(res.height),
		OrigWidth: int(res.orig_width), OrigHeight: int(res.orig_height),
		Format: formatOf(&res),
		pages:  int(res.pages),
		exif:   takeExif(&res),
	}
	if res.bands > 0 {
		img.Pix = toSRGB(&res, opts.signal)
	} else {
		img.Pix = append(img.Pix, unsafe.Slice((*byte)(res.pixels), img.Width*img.Height*3)...)
	}
	return img, nil
}

// heifLimit matches libheif's message about a size beyond its limit. libheif checks
// the size before libvips reports it, so our own check cannot come first.
var heifLimit = regexp.MustCompile(`Image size (\d+)x(\d+) exceeds the maximum image size (\d+(?:x\d+)?)`)

// noReason is the reason if libvips fails without a message, as it does for a PNG
// with an impossible size in its header.
const noReason = "something in it, such as its size, makes no sense; restore it from a backup"

// failure returns the error of a decode that failed.
func failure(path string, res *C.pd_result, opts Options) error {
	text := errorText(C.GoString(&res.error[0]))
	switch res.status {
	case C.PD_TOO_MANY_PIXELS:
		return tooManyPixels(path, int(res.orig_width), int(res.orig_height), opts)
	case C.PD_TOO_MUCH_MEMORY:
		return tooMuchMemory(path, int64(res.need), opts)
	case C.PD_UNSUPPORTED:
		return photo.Errorf(photo.Unsupported, path, "%w: %s", errNoLoader, text)
	case C.PD_KIND_NOT_READ:
		return unsupportedTIFF(path, text)
	}
	if strings.HasPrefix(C.GoString(&res.loader[0]), "tiff") && kindNotRead.MatchString(text) {
		return unsupportedTIFF(path, text)
	}
	if strings.HasPrefix(C.GoString(&res.loader[0]), "jpeg") && jpegNotRead.MatchString(text) {
		return photo.Errorf(photo.Unsupported, path, "this kind of JPEG is not read: %s", text)
	}
	if m := heifLimit.FindStringSubmatch(text); m != nil {
		return photo.Errorf(photo.TooLarge, path, "it has %s × %s pixels, and at most %s are decoded of a HEIF or AVIF: describe a smaller copy",
			m[1], m[2], strings.Replace(m[3], "x", " × ", 1))
	}
	// The file may be intact, and only the codec is not installed.
	if strings.HasPrefix(C.GoString(&res.loader[0]), "heif") && strings.Contains(text, "nsupported") {
		return photo.Errorf(photo.Unsupported, path, "the codec in it is not installed: %s", text)
	}
	return photo.Errorf(photo.Unreadable, path, "it is damaged or cut short: %s", cmp.Or(text, noReason))
}

func tooManyPixels(path string, width, height int, opts Options) error {
	return photo.Errorf(photo.TooLarge, path, "it has %d × %d pixels, %s, and at most %s are decoded: describe a smaller copy",
		width, height, millions(int64(width)*int64(height)), millions(opts.MaxPixels))
}

func tooMuchMemory(path string, need int64, opts Options) error {
	const mib = 1 << 20
	return photo.Errorf(photo.TooLarge, path, "decoding it takes about %d MiB of memory and %d MiB are allowed: allow more with --memory or describe a smaller copy",
		(need+mib-1)/mib, opts.MaxBytes/mib)
}

func millions(n int64) string { return fmt.Sprintf("%.1f million", float64(n)/1e6) }

// formatOf returns the format, derived from the name of the loader that read it.
func formatOf(res *C.pd_result) string {
	loader := C.GoString(&res.loader[0])
	switch {
	case strings.HasPrefix(loader, "heif") && C.GoString(&res.codec[0]) == "av1":
		return photo.FormatAVIF
	case strings.HasPrefix(loader, "jp2k"):
		return photo.FormatJP2
	}
	name, _, _ := strings.Cut(loader, "load")
	return name
}
