package photo

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Metadata is what a photo's file tells of when, where and with what it was taken.
// Nobody vouches for it.
type Metadata struct {
	Taken               time.Time // by the camera's clock, as if that were UTC; zero: not known
	Offset              string    // of that clock from UTC, "+02:00", where the file has it
	Camera              string    // maker and model; "": not known
	HasPlace            bool
	Latitude, Longitude float64 // degrees, north and east positive
}

// TakenText is when the photo was taken as RFC 3339 has it, without an offset where the
// file has none: "2019-07-14T12:30:05", "2019-07-14T12:30:05+02:00". "": not known.
func (m Metadata) TakenText() string {
	if m.Taken.IsZero() {
		return ""
	}
	return m.Taken.Format("2006-01-02T15:04:05") + m.Offset
}

// ExifFields are values of EXIF as text: times "2006:01:02 15:04:05", their offsets
// from UTC "+02:00", angles degrees, minutes and seconds as fractions,
// "48/1 51/1 2952/100".
type ExifFields struct {
	Make, Model                                    string
	Original, Digitized, Changed                   string
	OffsetOriginal, OffsetDigitized, OffsetChanged string
	Latitude, LatitudeRef, Longitude, LongitudeRef string
}

// Or returns the fields with those that are missing taken from other, a time with its
// offset and a place as a whole.
func (f ExifFields) Or(other ExifFields) ExifFields {
	if f.Make == "" && f.Model == "" {
		f.Make, f.Model = other.Make, other.Model
	}
	if f.Original == "" {
		f.Original, f.OffsetOriginal = other.Original, other.OffsetOriginal
	}
	if f.Digitized == "" {
		f.Digitized, f.OffsetDigitized = other.Digitized, other.OffsetDigitized
	}
	if f.Changed == "" {
		f.Changed, f.OffsetChanged = other.Changed, other.OffsetChanged
	}
	if f.Latitude == "" || f.Longitude == "" {
		f.Latitude, f.LatitudeRef, f.Longitude, f.LongitudeRef = other.Latitude, other.LatitudeRef, other.Longitude, other.LongitudeRef
	}
	return f
}

// ParseExif makes metadata of what can be believed in the fields.
func ParseExif(f ExifFields) Metadata {
	m := Metadata{Camera: camera(f.Make, f.Model)}
	for _, s := range [][2]string{{f.Original, f.OffsetOriginal}, {f.Digitized, f.OffsetDigitized}, {f.Changed, f.OffsetChanged}} {
		// Cameras without a clock set write zeros or the year of their making.
		if t, err := time.Parse("2006:01:02 15:04:05", strings.TrimSpace(s[0])); err == nil && t.Year() >= 1826 && t.Year() < 2200 {
			m.Taken, m.Offset = t, offset(s[1])
			break
		}
	}
	lat, ok1 := angle(f.Latitude, f.LatitudeRef, "N", "S", 90)
	lon, ok2 := angle(f.Longitude, f.LongitudeRef, "E", "W", 180)
	if ok1 && ok2 && (lat != 0 || lon != 0) { // 0, 0 is what devices write that do not know
		m.HasPlace, m.Latitude, m.Longitude = true, lat, lon
	}
	return m
}

// offset returns an offset from UTC if it is one, else "".
func offset(s string) string {
	s = strings.TrimSpace(s)
	t, err := time.Parse("-07:00", s)
	if err != nil {
		return ""
	}
	if _, seconds := t.Zone(); max(seconds, -seconds) > 14*3600 {
		return ""
	}
	return s
}

// longestCamera limits the name of a camera, in bytes.
const longestCamera = 80

// camera joins maker and model. Many models begin with their maker's name.
func camera(maker, model string) string {
	maker, model = plain(maker), plain(model)
	first, _, _ := strings.Cut(maker, " ")
	name := model
	if first != "" && !strings.HasPrefix(strings.ToLower(model), strings.ToLower(first)) {
		name = strings.TrimSpace(maker + " " + model)
	}
	return shortened(name, longestCamera)
}

// shortened cuts text to so many bytes.
func shortened(s string, bytes int) string {
	for len(s) > bytes {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return strings.TrimSpace(s)
}

// plain makes foreign text one line of valid UTF-8.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}

// angle reads degrees, minutes and seconds with their direction.
func angle(s, ref, plus, minus string, most float64) (float64, bool) {
	parts := strings.Fields(s)
	if len(parts) == 0 || len(parts) > 3 {
		return 0, false
	}
	sum, unit := 0.0, 1.0
	for _, p := range parts {
		v, ok := fraction(p)
		if !ok {
			return 0, false
		}
		sum += v / unit
		unit *= 60
	}
	if !(sum <= most) {
		return 0, false
	}
	switch strings.ToUpper(strings.TrimSpace(ref)) {
	case plus:
		return sum, true
	case minus:
		return -sum, true
	}
	return 0, false
}

func fraction(s string) (float64, bool) {
	over, under, slash := strings.Cut(s, "/")
	a, err := strconv.ParseFloat(over, 64)
	b := 1.0
	if slash && err == nil {
		b, err = strconv.ParseFloat(under, 64)
	}
	v := a / b
	return v, err == nil && a >= 0 && b > 0 && !math.IsInf(v, 0) && !math.IsNaN(v)
}
