package gallery

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// Photo is a photo of a gallery.
type Photo struct {
	Path        []byte // relative to the photo folder, any bytes
	Description string
	Keywords    []string `json:",omitempty"`
	Facts       string   `json:",omitempty"` // when and with what it was taken, for people
}

// Spool collects photos and gives them back by folder and name.
type Spool struct {
	f     *os.File
	out   *bufio.Writer
	at    int64
	index []spooled
}

// spooled is where a photo is in the file.
type spooled struct {
	path   string
	offset int64
	length int32
}

// NewSpool returns an empty spool, whose file is in dir and has no name: it ends with the process.
func NewSpool(dir string) (*Spool, error) {
	f, err := os.CreateTemp(dir, ".photodesc-*.part")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return &Spool{f: f, out: bufio.NewWriterSize(f, 1<<18)}, nil
}

// Close removes the file.
func (s *Spool) Close() error { return s.f.Close() }

// Add adds a photo.
func (s *Spool) Add(p Photo) error {
	b, err := json.Marshal(p)
	if err != nil {
		return err
	}
	s.index = append(s.index, spooled{string(p.Path), s.at, int32(len(b))})
	s.at += int64(len(b))
	_, err = s.out.Write(b)
	return err
}

// Sort ends adding. The photos of a folder come before those of the folders in it.
func (s *Spool) Sort() error {
	slices.SortFunc(s.index, func(a, b spooled) int { return comparePaths(a.path, b.path) })
	return s.out.Flush()
}

// comparePaths orders paths by their folders, part by part, and then by name.
func comparePaths(a, b string) int {
	for {
		aPart, aRest, aIn := strings.Cut(a, "/")
		bPart, bRest, bIn := strings.Cut(b, "/")
		switch {
		case !aIn && !bIn:
			return strings.Compare(a, b)
		case !aIn:
			return -1
		case !bIn:
			return 1
		case aPart != bPart:
			return strings.Compare(aPart, bPart)
		}
		a, b = aRest, bRest
	}
}

// Len is how many photos there are.
func (s *Spool) Len() int { return len(s.index) }

// Photo returns a photo by its place in the order.
func (s *Spool) Photo(i int) (p Photo, err error) {
	b := make([]byte, s.index[i].length)
	if _, err := io.ReadFull(io.NewSectionReader(s.f, s.index[i].offset, int64(len(b))), b); err != nil {
		return p, err
	}
	return p, json.Unmarshal(b, &p)
}

// folder is the folder of the photo at a place, "." where it is in none.
func (s *Spool) folder(i int) string { return path.Dir(s.index[i].path) }
