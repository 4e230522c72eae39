package photo

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"photodesc/internal/fsutil"
)

// List is a list of photos that somebody has written, a path a line.
type List struct {
	root  string
	real  string         // root without links
	lines map[string]int // negative after Met
}

// longestLine bounds a line of a list, in bytes; no path is longer.
const longestLine = 64 << 10

// badLines is how many bad lines an error names.
const badLines = 10

// ReadList reads paths that are relative to the folder root, or absolute and in
// it. With zeros each ends with a zero byte, as find -print0 and fd -0 write
// them, instead of a line break. Empty lines say nothing. An error names the
// lines that are wrong.
func ReadList(r io.Reader, root string, zeros bool) (*List, error) {
	l := &List{root: root, real: realPath(root), lines: map[string]int{}}
	end := byte('\n')
	if zeros {
		end = 0
	}
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 4<<10), longestLine)
	s.Split(func(data []byte, last bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, end); i >= 0 {
			return i + 1, data[:i], nil
		}
		if last && len(data) > 0 {
			return len(data), data, nil
		}
		return 0, nil, nil
	})
	var bad []string
	number := 0
	for s.Scan() {
		number++
		line := s.Text()
		if !zeros {
			line = strings.TrimSuffix(line, "\r")
			if number == 1 { // editors on Windows write it
				line = strings.TrimPrefix(line, "\ufeff")
			}
		}
		if line == "" {
			continue
		}
		rel, why := l.relative(line)
		if why == "" {
			if l.lines[rel] == 0 {
				l.lines[rel] = number
			}
			continue
		}
		bad = append(bad, fmt.Sprintf("line %d: %q %s", number, line, why))
	}
	if err := s.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d is longer than any path; is this a list of photos?", number+1)
	} else if err != nil {
		return nil, fmt.Errorf("line %d cannot be read: %w", number+1, err)
	}
	return l, linesError(bad)
}

func linesError(bad []string) error {
	if len(bad) == 0 {
		return nil
	}
	more := ""
	if n := len(bad) - badLines; n > 0 {
		more = fmt.Sprintf("\n  and %d more", n)
		bad = bad[:badLines]
	}
	return fmt.Errorf("%s%s", strings.Join(bad, "\n  "), more)
}

// relative is the path of a line as Walk has it, or why it is none.
func (l *List) relative(line string) (rel, why string) {
	if fsutil.IsBucket(l.root) { // nothing of a key may be changed
		rel, in := strings.CutPrefix(line, fsutil.Join(l.root, ""))
		if !in && fsutil.IsBucket(line) {
			return "", "is not below " + l.root
		}
		return rel, ""
	}
	path := filepath.Clean(line)
	if filepath.IsAbs(path) {
		if path = l.below(path); path == "" {
			return "", "is not in the photo folder"
		}
	}
	switch {
	case path == ".":
		return "", "is the photo folder itself; name the photos in it"
	case path == "..", strings.HasPrefix(path, "../"):
		return "", "is not in the photo folder"
	case strings.ContainsRune(path, 0):
		return "", "has a zero byte; give --null for a list that is separated by them"
	}
	return path, ""
}

// below is an absolute path relative to the root, whichever of them has links
// on its way; empty if it is not below.
func (l *List) below(path string) string {
	for _, root := range []string{filepath.Clean(l.root), l.real} {
		if rel, err := filepath.Rel(root, path); err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			return rel
		}
	}
	// The name itself may be a link in the folder that leads out of it.
	if dir := realPath(filepath.Dir(path)); dir != filepath.Dir(path) {
		return l.below(fsutil.Join(dir, filepath.Base(path)))
	}
	return ""
}

// Len is the number of photos in the list.
func (l *List) Len() int { return len(l.lines) }

// Met reports whether a photo is in the list, and notes that it is there.
func (l *List) Met(rel string) bool {
	line, in := l.lines[rel]
	if line > 0 {
		l.lines[rel] = -line
	}
	return in
}

// Keep drops the lines of photos that are not in a shard.
func (l *List) Keep(s Shard) {
	maps.DeleteFunc(l.lines, func(rel string, _ int) bool { return !s.Has(rel) })
}

// Missing is an error that names the lines that Met was not asked about, and why:
// after a walk, those that are no photos of the folder. It is nil if there are
// none.
func (l *List) Missing() error {
	var missing []string
	for rel, line := range l.lines {
		if line > 0 {
			missing = append(missing, rel)
		}
	}
	slices.SortFunc(missing, func(a, b string) int { return l.lines[a] - l.lines[b] })
	var bad []string
	for i, rel := range missing {
		why := ""
		if i < badLines {
			why = l.whyMissing(rel)
		}
		bad = append(bad, fmt.Sprintf("line %d: %q %s", l.lines[rel], rel, why))
	}
	return linesError(bad)
}

func (l *List) whyMissing(rel string) string {
	if fsutil.IsBucket(l.root) {
		return "is not below " + l.root + ", is no photo, or is left out (--dry-run says by which rule; --include brings it back)"
	}
	info, err := os.Stat(fsutil.Join(l.root, rel))
	switch {
	case err != nil && isFile(rel):
		return "is not in the photo folder, where paths of the list count from; from where you are there is one, so give its absolute path"
	case os.IsNotExist(err):
		return "is not there"
	case err != nil:
		return "cannot be looked at: " + Reason(err).Error()
	case info.IsDir():
		return "is a folder; name the photos in it"
	}
	return "is no photo, or is left out by its name, by a rule or by a pattern (--dry-run says by which; --include brings it back)"
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
