package tracker

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"

	"photodesc/internal/fsutil"
)

// Position is how far an output file has been read.
type Position struct {
	Offset int64  // bytes, the end of a whole line
	Mark   string // of the bytes before it, to know the file again
}

// ErrOutputsChanged says that an output file was changed since it was read: it is missing, shorter, or has other bytes.
var ErrOutputsChanged = errors.New("the outputs are not those that were read before")

// Follow reads the records that were added to the outputs since the positions given, by file name below dir, oldest first,
// and calls found with each and with the position after it. Lines that cannot be read are left out; a line without its
// newline is left for the next time. An error of found ends it. Where a known file is not the one that was read,
// [ErrOutputsChanged] is returned before anything is found.
func Follow(dir string, from map[string]Position, found func(file string, r Record, after Position) error) error {
	files, err := outputFiles(dir)
	if err != nil {
		return err
	}
	left := len(from)
	for _, path := range files {
		if known, ok := from[relative(dir, path)]; ok {
			left--
			if mark, err := markBefore(path, known.Offset); err != nil || mark != known.Mark {
				return ErrOutputsChanged
			}
		}
	}
	if left > 0 {
		return ErrOutputsChanged
	}
	for _, path := range files {
		name := relative(dir, path)
		if err := followFile(path, from[name].Offset, func(r Record, after Position) error { return found(name, r, after) }); err != nil {
			return err
		}
	}
	return nil
}

func relative(dir, path string) string {
	name, err := filepath.Rel(dir, path)
	if err != nil {
		return path
	}
	return name
}

// markLength is how many bytes before a position are compared, to recognise the file.
const markLength = 256

func markBefore(path string, offset int64) (string, error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b := make([]byte, min(offset, markLength))
	if _, err := f.ReadAt(b, offset-int64(len(b))); err != nil {
		return "", err
	}
	return markOf(b), nil
}

func markOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

func followFile(path string, offset int64, found func(Record, Position) error) error {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	// The mark needs the bytes before the position, also when the first line read is short.
	before := make([]byte, min(offset, markLength))
	if _, err := f.ReadAt(before, offset-int64(len(before))); err != nil && len(before) > 0 {
		return err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	r := bufio.NewReaderSize(f, blockSize)
	for {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		first := offset == 0
		offset += int64(len(line))
		before = append(before, line[max(0, len(line)-markLength):]...)
		before = append(before[:0], before[max(0, len(before)-markLength):]...)
		if len(line) > maxLine {
			continue
		}
		record, err := parseRecord(trimLine(bytes.TrimSuffix(line, []byte{'\n'}), first))
		if err != nil {
			continue
		}
		if err := found(record, Position{offset, markOf(before)}); err != nil {
			return err
		}
	}
}
