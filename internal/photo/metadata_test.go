package photo

import (
	"math"
	"testing"
	"time"
)

func TestParseExif(t *testing.T) {
	day := time.Date(2019, 7, 14, 12, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		f    ExifFields
		want Metadata
	}{
		{"nothing", ExifFields{}, Metadata{}},
		{"the original's time", ExifFields{Original: "2019:07:14 12:30:00", Changed: "2021:01:01 00:00:00"}, Metadata{Taken: day}},
		{"zeros, then another", ExifFields{Original: "0000:00:00 00:00:00", Digitized: " 2019:07:14 12:30:00 "}, Metadata{Taken: day}},
		{"no time", ExifFields{Original: "    :  :     :  :  ", Changed: "yesterday"}, Metadata{}},
		{"before photography", ExifFields{Original: "1700:01:01 00:00:00"}, Metadata{}},
		{"place", ExifFields{Latitude: "48/1 51/1 2952/100", LatitudeRef: "N", Longitude: "2/1 17/1 4020/100", LongitudeRef: "w"},
			Metadata{HasPlace: true, Latitude: 48.8582, Longitude: -2.2945}},
		{"whole degrees", ExifFields{Latitude: "33.5 0 0", LatitudeRef: "S", Longitude: "151/1", LongitudeRef: "E"},
			Metadata{HasPlace: true, Latitude: -33.5, Longitude: 151}},
		{"nowhere", ExifFields{Latitude: "0/1 0/1 0/1", LatitudeRef: "N", Longitude: "0/1 0/1 0/1", LongitudeRef: "E"}, Metadata{}},
		{"too far north", ExifFields{Latitude: "90/1 1/1 0/1", LatitudeRef: "N", Longitude: "2/1", LongitudeRef: "E"}, Metadata{}},
		{"no direction", ExifFields{Latitude: "48/1", Longitude: "2/1", LongitudeRef: "E"}, Metadata{}},
		{"by zero", ExifFields{Latitude: "48/0", LatitudeRef: "N", Longitude: "2/1", LongitudeRef: "E"}, Metadata{}},
		{"negative", ExifFields{Latitude: "-48/1", LatitudeRef: "N", Longitude: "2/1", LongitudeRef: "E"}, Metadata{}},
		{"with an offset", ExifFields{Original: "2019:07:14 12:30:00", OffsetOriginal: " +02:00 ", OffsetChanged: "-01:00"}, Metadata{Taken: day, Offset: "+02:00"}},
		{"an offset that is none", ExifFields{Original: "2019:07:14 12:30:00", OffsetOriginal: "   :  "}, Metadata{Taken: day}},
		{"too much of an offset", ExifFields{Original: "2019:07:14 12:30:00", OffsetOriginal: "+23:00"}, Metadata{Taken: day}},
		{"maker in the model", ExifFields{Make: "NIKON CORPORATION", Model: "NIKON D70"}, Metadata{Camera: "NIKON D70"}},
		{"maker and model", ExifFields{Make: "SONY", Model: "DSC-RX100"}, Metadata{Camera: "SONY DSC-RX100"}},
		{"maker alone", ExifFields{Make: " Apple\n"}, Metadata{Camera: "Apple"}},
		{"a camera that is a trick", ExifFields{Model: "\x1b[31m\xffx\u202ey"}, Metadata{Camera: "[31mx y"}},
		{"half a place", ExifFields{Latitude: "48/1", LatitudeRef: "N"}, Metadata{}},
	} {
		got := ParseExif(c.f)
		if !got.Taken.Equal(c.want.Taken) || got.Offset != c.want.Offset || got.Camera != c.want.Camera || got.HasPlace != c.want.HasPlace ||
			math.Abs(got.Latitude-c.want.Latitude) > 1e-4 || math.Abs(got.Longitude-c.want.Longitude) > 1e-4 {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func FuzzParseExif(f *testing.F) {
	f.Add("2019:07:14 12:30:00", "48/1 51/1 2952/100", "N", "2/1", "E")
	f.Add("", "NaN/1", "N", "Inf", "E")
	f.Fuzz(func(t *testing.T, taken, lat, latRef, lon, lonRef string) {
		m := ParseExif(ExifFields{Original: taken, Latitude: lat, LatitudeRef: latRef, Longitude: lon, LongitudeRef: lonRef})
		if !m.Taken.IsZero() && (m.Taken.Year() < 1826 || m.Taken.Year() > 2200) {
			t.Fatal(m.Taken)
		}
		if !(math.Abs(m.Latitude) <= 90 && math.Abs(m.Longitude) <= 180) || !m.HasPlace && (m.Latitude != 0 || m.Longitude != 0) {
			t.Fatalf("%+v", m)
		}
	})
}
