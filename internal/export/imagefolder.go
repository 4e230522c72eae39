package export

import (
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"unicode/utf8"

	"photodesc/tracker"
)

// ImageFolderName is what Hugging Face's imagefolder calls the file with the captions.
const ImageFolderName = "metadata.jsonl"

// ErrNotUTF8 says that a path cannot be written as text.
var ErrNotUTF8 = errors.New("the path is not UTF-8")

// imageRow is a line of metadata.jsonl. Each line has the same fields, and each field always the same type: the reader takes
// the types from the first lines.
type imageRow struct {
	File     string `json:"file_name"`
	Text     string `json:"text"`
	Keywords string `json:"keywords"`
}

// ImageFolder writes lines of metadata.jsonl, with the paths of photos as seen from the file's folder: before is put in front
// of them.
type ImageFolder struct {
	out    *json.Encoder
	before string
}

// NewImageFolder begins a metadata.jsonl.
func NewImageFolder(w io.Writer, before string) *ImageFolder {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return &ImageFolder{out, before}
}

// Write writes the line of a photo whose caption is text. It returns [ErrNotUTF8] for a path that no line can have.
func (f *ImageFolder) Write(r *tracker.Photo, text string) error {
	if !utf8.ValidString(r.Path) {
		return ErrNotUTF8
	}
	return f.out.Encode(imageRow{filepath.ToSlash(filepath.Join(f.before, r.Path)), text, oneLine(joined(r.Keywords))})
}
