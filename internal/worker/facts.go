package worker

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/photo/raw"
	"photodesc/internal/preview"
	"photodesc/internal/xmp/embedded"
)

// fileFacts reads when and with what a photo was taken, and no more of its file than that takes: nothing is decoded.
func fileFacts(path string) ([]byte, error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	head := make([]byte, photo.SniffLen)
	n, _ := io.ReadFull(f, head)
	var fields photo.ExifFields
	if photo.IsRaw(path) {
		fields = raw.Exif(f, info.Size())
	} else if fields, err = embedded.Exif(f, photo.Sniff(head[:n])); err != nil {
		return nil, fmt.Errorf("its metadata cannot be read: %w", err)
	}
	m := photo.ParseExif(fields)
	return json.Marshal(preview.Facts{Size: info.Size(), ModTime: info.ModTime().UTC(), Taken: m.TakenText(), Camera: m.Camera})
}
