package tracker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"photodesc/internal/fsutil"
)

// RecordAt reads the record whose line ends at a position that [Follow] gave: end is its
// Offset, file the name below dir.
func RecordAt(dir, file string, end int64) (Record, error) {
	f, err := fsutil.OpenRegular(filepath.Join(dir, file), os.O_RDONLY, 0)
	if err != nil {
		return Record{}, err
	}
	defer f.Close()
	for size := int64(8 << 10); ; size *= 8 {
		start := max(0, end-size)
		b := make([]byte, end-start)
		if _, err := f.ReadAt(b, start); err != nil {
			return Record{}, fmt.Errorf("%s is shorter than it was: %w", file, err)
		}
		if len(b) == 0 || b[len(b)-1] != '\n' {
			return Record{}, fmt.Errorf("%s has no line that ends at byte %d", file, end)
		}
		b = b[:len(b)-1]
		if cut := bytes.LastIndexByte(b, '\n'); cut >= 0 {
			return parseRecord(trimLine(b[cut+1:], false))
		}
		if start == 0 {
			return parseRecord(trimLine(b, true))
		}
		if size > maxLine {
			return Record{}, errors.New("a line is too long")
		}
	}
}
