package photo

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Metadata is what a photo's file tells of when and where it was taken. Nobody
// vouches for it.
type Metadata struct {
	Taken               time.Time // by the camera's clock, of whatever zone; zero: not known
	HasPlace            bool
	Latitude, Longitude float64 // degrees, north and east positive
}

// ExifFields are values of EXIF as text: times "2006:01:02 15:04:05", angles
// degrees, minutes and seconds as fractions, "48/1 51/1 2952/100".
type ExifFields struct {
	Original, Digitized, Changed                   string
	Latitude, LatitudeRef, Longitude, LongitudeRef string
}

// ParseExif makes metadata of what can be believed in the fields.
func ParseExif(f ExifFields) Metadata {
	var m Metadata
	for _, s := range []string{f.Original, f.Digitized, f.Changed} {
		// Cameras without a clock set write zeros or the year of their making.
		if t, err := time.Parse("2006:01:02 15:04:05", strings.TrimSpace(s)); err == nil && t.Year() >= 1826 && t.Year() < 2200 {
			m.Taken = t
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
