package photo

import "strings"

// A treatment says what the end of a file's name decides about the file.
type treatment uint8

const (
	notPhoto       treatment = iota // no photo; it is not mentioned
	byName                          // a photo; the walk does not open it
	rawByName                       // the same, a camera's own format of which the preview is decoded
	photoOrCounted                  // the walk opens it: a photo if a picture is in it, else left out and counted
	rawIfPicture                    // the walk opens it: a RAW if a picture is in it, else no photo
	photoIfPicture                  // the walk opens it: a photo if a picture is in it, else no photo
	unread                          // looks like a photo and is not read: left out and counted
	inCloud                         // the placeholder of a photo that only a cloud has: counted
	sidecar                         // belongs to the photo whose whole name it has; it is not mentioned
)

// endings is the one table of what the walk knows about names. An ending is
// what follows the last dot, in lower case. kindOfName adds what is made of
// these endings: copies with a number, cut names, backups.
//
// SVG, PDF and EPS are left out on purpose: they are drawings and documents.
var endings = []struct {
	treatment treatment
	names     string
	of        string
}{
	{byName, "jpg jpeg jpe jfif", "JPEG"},
	{byName, "png webp gif bmp tif tiff avif jxl", ""},
	{byName, "heic heif hif", "HEIF; .hif: Canon, Fujifilm, Nikon, Sony"},
	{rawByName, "cr2 cr3 crw nef nrw arw sr2 srf dng raf orf rw2 pef srw x3f", ""},
	{rawByName, "3fr erf kdc mrw mef mos iiq rwl", ""},
	{rawByName, "dcr gpr fff ori", "Kodak, GoPro, Hasselblad, Olympus' high resolution"},

	{photoOrCounted, "mpo jps pns insp", "JPEG or PNG inside: stereo cameras, panoramas of phones, Insta360"},
	{photoOrCounted, "jif jfi jpg_large jpeg_large", "JPEG, by old browsers and Twitter"},
	{photoOrCounted, "apng dib heics heifs hifs avifs avci", "animations, BMP, sequences"},
	{photoOrCounted, "jp hei pn", "cut off, as by Google Takeout"},
	{rawIfPicture, "raw ptx dcs k25 kc2 rwz", "Panasonic, Pentax, Kodak, Rawzor; or something else"},

	{unread, "jp2 j2k j2c jpc jpf jpx jpm jxr wdp hdp", "JPEG 2000, JPEG XR"},
	{unread, "psd psb pdd xcf kra ora afphoto", "image editors"},
	{unread, "exr hdr tga pcx pcd pct pict ppm pgm pbm pnm pfm pam sgi qoi bpg flif fpx", ""},
	{unread, "thm", "a film's first frame, by cameras"},
}

// suffixes are the endings that other programs put after a photo's whole
// name: IMG_1.jpg.part.
var suffixes = []struct {
	treatment treatment
	names     string
	of        string
}{
	{inCloud, "icloud cloud nextcloud owncloud opencloud", "see clouds"},
	{sidecar, "xmp json pp3 pp2 dop arp rrdata cos on1 comask nksc spd vrd dxo aae exv exif " +
		"ini xml yml yaml toml csv txt md log html htm url lnk webloc desktop torrent pdf " +
		"md5 sha1 sha256 sha512 sfv sig asc par2 db thm mp4 mov m4v", "what is known about the photo; its film"},
	// All else is left out and counted: .part, .crdownload, .bak, .old, .gpg, .zip
}

// clouds are the services whose placeholders end in suffixes' inCloud.
var clouds = map[string]string{
	"icloud": "iCloud", "cloud": "odrive", "nextcloud": "Nextcloud", "owncloud": "ownCloud", "opencloud": "OpenCloud",
}

var (
	treatments = make(map[string]treatment) // by ending
	following  = make(map[string]treatment) // by what follows a photo's whole name
	photoEnds  []string                     // byName and rawByName, to know them when they are cut off
)

func init() {
	for _, e := range endings {
		for _, name := range strings.Fields(e.names) {
			treatments[name] = e.treatment
			if e.treatment == byName || e.treatment == rawByName {
				photoEnds = append(photoEnds, name)
			}
		}
	}
	for _, e := range suffixes {
		for _, name := range strings.Fields(e.names) {
			following[name] = e.treatment
		}
	}
}

// IsPhoto reports whether a file's name ends like a photo's, in any case.
func IsPhoto(name string) bool { return treatmentOf(name).isPhoto() }

// MayBePhoto reports whether a file of that name may be a photo, or changes which files are: it is not one of those that a walk passes
// over.
func MayBePhoto(name string) bool {
	e := entry{name: name}
	return name == IgnoreName || e.matters()
}

// IsRaw reports whether a file's name ends like that of a camera's RAW format.
func IsRaw(name string) bool {
	t := treatmentOf(name)
	return t == rawByName || t == rawIfPicture
}

func (t treatment) isPhoto() bool { return t == byName || t == rawByName }

// treatmentOf is what the table says of a name.
func treatmentOf(name string) treatment {
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return notPhoto
	}
	return treatmentOfEnding(name[dot+1:])
}

// treatmentOfEnding looks an ending up, in any case. It allocates nothing.
func treatmentOfEnding(ending string) treatment {
	if len(ending) > maxEnding {
		return notPhoto
	}
	var buf [maxEnding]byte
	return treatments[string(lower(ending, buf[:]))] // no allocation: the compiler knows m[string(b)]
}

const maxEnding = 10 // bytes in the longest ending of the table

// lower writes the ASCII lower case of s to buf, which is long enough.
func lower(s string, buf []byte) []byte {
	b := buf[:copy(buf, s)]
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}
