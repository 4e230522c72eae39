package photo

import "bytes"

// SniffLen is how many bytes from a file's start Sniff wants to see.
const SniffLen = 512

// The formats Sniff tells apart, by content alone.
const (
	FormatJPEG = "jpeg"
	FormatPNG  = "png"
	FormatWebP = "webp"
	FormatGIF  = "gif"
	FormatBMP  = "bmp"
	FormatTIFF = "tiff" // also most RAW formats, which are TIFF inside
	FormatHEIF = "heif"
	FormatAVIF = "avif"
	FormatJXL  = "jxl"
	FormatJP2  = "jp2"
	FormatRAW  = "raw" // a camera's own container that is no plain TIFF
	FormatSVG  = "svg"
	FormatPDF  = "pdf"
	FormatPSD  = "psd"
	FormatMP4  = "video"
)

// magics are fixed bytes at a fixed place. The first that fits decides.
var magics = []struct {
	at     int
	bytes  string
	format string
}{
	{0, "\xff\xd8\xff", FormatJPEG},
	{0, "\x89PNG\r\n\x1a\n", FormatPNG},
	{0, "GIF87a", FormatGIF},
	{0, "GIF89a", FormatGIF},
	{8, "WEBPVP8", FormatWebP},
	{0, "FUJIFILMCCD-RAW", FormatRAW},  // RAF
	{6, "HEAPCCDR", FormatRAW},         // CRW
	{0, "FOVb", FormatRAW},             // X3F
	{0, "\x00MRM", FormatRAW},          // MRW
	{0, "IIRO", FormatRAW},             // ORF
	{0, "IIRS", FormatRAW},             // ORF
	{0, "MMOR", FormatRAW},             // ORF
	{0, "IIU\x00", FormatRAW},          // RW2, RWL
	{4, "ftypcrx ", FormatRAW},         // CR3
	{0, "II*\x00", FormatTIFF},         // little-endian
	{0, "MM\x00*", FormatTIFF},         // big-endian
	{0, "II+\x00", FormatTIFF},         // BigTIFF
	{0, "MM\x00+", FormatTIFF},         // BigTIFF
	{0, "\xff\x0a", FormatJXL},         // bare codestream
	{4, "JXL \r\n\x87\n", FormatJXL},   // in a box
	{4, "jP  \r\n\x87\n", FormatJP2},   // in a box
	{0, "\xff\x4f\xff\x51", FormatJP2}, // bare codestream
	{0, "%PDF-", FormatPDF},
	{0, "8BPS", FormatPSD},
	{0, "BM", FormatBMP}, // weak, so among the last
}

// Sniff names the format of a file that begins with head (SniffLen bytes are
// enough), or "" if it is none that is known here. It never looks at a name:
// photos with the wrong extension are common.
func Sniff(head []byte) string {
	if f := sniffBrand(head); f != "" {
		return f
	}
	for _, m := range magics {
		if len(head) >= m.at && bytes.HasPrefix(head[m.at:], []byte(m.bytes)) {
			return m.format
		}
	}
	if t := bytes.TrimLeft(head, " \t\r\n\xef\xbb\xbf"); bytes.HasPrefix(t, []byte("<")) &&
		bytes.Contains(bytes.ToLower(t), []byte("svg")) {
		return FormatSVG
	}
	return ""
}

// sniffBrand reads the brands of an ISO media file's first box: AVIF, HEIF and
// films all begin alike and differ there.
func sniffBrand(head []byte) string {
	if len(head) < 12 || string(head[4:8]) != "ftyp" || string(head[8:12]) == "crx " {
		return ""
	}
	size := int(head[0])<<24 | int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	end := max(min(size, len(head)), 12)
	heif := false
	for at := 8; at+4 <= end; at += 4 {
		switch string(head[at : at+4]) {
		case "avif", "avis":
			return FormatAVIF
		case "heic", "heix", "hevc", "hevx", "heim", "heis", "mif1", "msf1":
			heif = true
		}
	}
	if heif {
		return FormatHEIF
	}
	return FormatMP4
}

// hasPicture reports whether a file that begins with head is a picture of a kind
// that may be described, whatever its name.
func hasPicture(head []byte) bool {
	switch Sniff(head) {
	case "", FormatSVG, FormatPDF, FormatPSD, FormatMP4, FormatJP2:
		return false
	case FormatBMP: // two letters say little; the length of the second header says more
		return len(head) > 17 && bytes.Contains([]byte{12, 16, 40, 52, 56, 64, 108, 124}, head[14:15]) &&
			head[15]|head[16]|head[17] == 0
	}
	return true
}
