package embedded

import (
	"fmt"
	"io"
	"time"

	"github.com/bep/imagemeta"

	"photodesc/internal/photo"
)

// Exif reads when and with what a photo of a format was taken. It seeks to the metadata and reads nothing else. EXIF that is
// damaged counts as not there; the error is of the file or the library.
func Exif(r io.ReadSeeker, format string) (f photo.ExifFields, err error) {
	kind, known := formats[format]
	if !known {
		return f, nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return f, err
	}
	to := map[string]*string{
		"Make": &f.Make, "Model": &f.Model, "DateTimeOriginal": &f.Original, "DateTimeDigitized": &f.Digitized, "CreateDate": &f.Digitized,
		"DateTime": &f.Changed, "ModifyDate": &f.Changed, "OffsetTimeOriginal": &f.OffsetOriginal, "OffsetTimeDigitized": &f.OffsetDigitized, "OffsetTime": &f.OffsetChanged,
	}
	begun := time.Now()
	_, _ = imagemeta.Decode(imagemeta.Options{R: r, ImageFormat: kind, Sources: imagemeta.EXIF, LimitTagSize: maxText, Timeout: patience,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return to[t.Tag] != nil },
		HandleTag: func(t imagemeta.TagInfo) error {
			field := to[t.Tag]
			for _, text := range texts(t.Value) {
				if field != nil && *field == "" {
					*field = text
				}
			}
			return nil
		}})
	if time.Since(begun) >= patience { // the library may still be at it
		return photo.ExifFields{}, fmt.Errorf("reading it took longer than %v", patience)
	}
	return f, nil
}
