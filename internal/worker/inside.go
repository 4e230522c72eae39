package worker

import (
	"errors"
	"fmt"
	"os"

	"photodesc/internal/fsutil"
	"photodesc/internal/photo"
	"photodesc/internal/photo/vips"
	"photodesc/internal/xmp"
	"photodesc/internal/xmp/embedded"
	"photodesc/tracker"
)

// Answer is a worker's answer: the record and what else the run wants.
type Answer struct {
	tracker.Record
	Known     bool    `json:"known,omitempty"`     // the supervisor said that the photo need not be described; there are no words
	Inside    *Inside `json:"inside,omitempty"`    // see Config.Inside
	Thumbnail []byte  `json:"thumbnail,omitempty"` // a JPEG; see Config.Thumbnails
}

// Inside is what is embedded in a photo. It is read by the worker, because files may be
// hostile, and written into a sidecar by the supervisor.
type Inside struct {
	xmp.Embedded
	Problem string `json:",omitempty"` // why it is not known
}

// Get returns what is embedded, or why it is not known. A worker that has said nothing
// has not looked.
func (i *Inside) Get() (xmp.Embedded, error) {
	if i == nil {
		return xmp.Embedded{}, errors.New("no worker has read it")
	}
	if i.Problem != "" {
		return xmp.Embedded{}, errors.New(i.Problem)
	}
	return i.Embedded, nil
}

// maxInside is how much a worker answers of what is embedded, in bytes; see maxLine of the
// protocol.
const maxInside = 200_000

// changed is whether a file is not any more the one that was decoded. Some file systems say
// that a file they have not fetched has 0 bytes.
func changed(path string, img *vips.Image) bool {
	info, err := os.Stat(path)
	if err != nil {
		return true
	}
	return info.Size() != img.Size && info.Size() != 0 || !img.ModTime.IsZero() && !info.ModTime().Equal(img.ModTime)
}

// written reads what is embedded in the photo at a path below the photo folder, and what
// persons have written there or into its sidecar. Of a file that was changed since it was
// decoded it is nothing.
func (w *worker) written(rel string, img *vips.Image) (*Inside, photo.Written) {
	path := fsutil.Join(string(w.config.Root), rel)
	in, err := embedded.Read(path)
	if changed(path, img) {
		return &Inside{Problem: "the file was changed while it was read"}, photo.Written{}
	}
	written := xmp.Written(w.sidecars.Read(rel), in)
	size := len(in.Packet)
	for _, f := range in.Fields {
		for _, v := range f.Values {
			size += len(v)
		}
	}
	if err == nil && size > maxInside {
		err = fmt.Errorf("there are %d bytes of it; photodesc export xmp takes that", size)
	}
	if err != nil {
		return &Inside{Problem: err.Error()}, written
	}
	return &Inside{Embedded: in}, written
}
