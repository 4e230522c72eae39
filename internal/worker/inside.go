package worker

import (
	"errors"
	"fmt"

	"photodesc/internal/fsutil"
	"photodesc/internal/xmp"
	"photodesc/internal/xmp/embedded"
	"photodesc/tracker"
)

// Answer is a worker's answer: the record and what else the run wants.
type Answer struct {
	tracker.Record
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

// inside reads what is embedded in the photo at a path below the photo folder.
func (w *worker) inside(rel string) *Inside {
	in, err := embedded.Read(fsutil.Join(string(w.config.Root), rel))
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
		return &Inside{Problem: err.Error()}
	}
	return &Inside{Embedded: in}
}
