package tracker

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

// SidecarsName is the file in a workdir in which exports of sidecars note how far they came.
const SidecarsName = "sidecars.json"

// Sidecars is what is known of the sidecars of a workdir without looking at them.
type Sidecars struct {
	Time      time.Time `json:"time"`                    // of the export, or the run, that counted them
	UpToDate  int       `json:"up_to_date"`              // photos whose sidecar was up to date then
	OutOfDate int       `json:"out_of_date"`             // by now: at most so many photos have none, or one with other words
	More      bool      `json:"more,omitempty"`          // there may be more than those, which were not counted
	Writing   bool      `json:"being_written,omitempty"` // the run that is up writes them, and counts when it ends
}

// sidecarNote is the file. Descriptions are counted from a place in the outputs on, so that nothing has to be noted while photos
// are described without sidecars.
type sidecarNote struct {
	Time        time.Time    `json:"time"`
	UpToDate    int          `json:"up_to_date"`
	Missing     int          `json:"missing"`          // photos described before From that have no sidecar, or an old one
	Covered     int          `json:"covered"`          // descriptions after From that are in sidecars
	From        outputsPlace `json:"from"`             // what comes after it is in no sidecar, but for Covered
	Corrections int          `json:"corrections"`      // lines of the corrections that are in sidecars; a merge adds old ones behind them
	Removed     time.Time    `json:"removed,omitzero"` // when all sidecars were removed during a run
	PID         int          `json:"pid,omitempty"`    // of a run that writes sidecars
}

// outputsPlace is a place in the outputs; the zero value is their beginning.
type outputsPlace struct {
	File string `json:"file,omitempty"`
	Size int64  `json:"size"`
}

const (
	maxSidecarNote = 1 << 16
	// maxBehind bounds what is read of the outputs to count the descriptions that are in no sidecar, in bytes.
	maxBehind = 1 << 20
)

func sidecarsPath(dir string) string { return filepath.Join(dir, SidecarsName) }

// readSidecarNote returns an empty note where there is none, or none that can be read.
func readSidecarNote(dir string) (n sidecarNote) {
	data, err := fsutil.ReadSmall(sidecarsPath(dir), maxSidecarNote)
	if err != nil || json.Unmarshal(data, &n) != nil {
		return sidecarNote{}
	}
	return n
}

func (n sidecarNote) write(dir string) error {
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return durable.WriteFile(sidecarsPath(dir), append(data, '\n'), 0o644)
}

// SidecarCount notes what one export, or one run, does to the sidecars of a workdir. What it cannot know is counted as out of
// date. It is meant for one goroutine.
type SidecarCount struct {
	dir   string
	begun time.Time
	from  outputsPlace
	whole bool // when it began, all descriptions were in sidecars

	corrections int // lines of them, when it began
}

// CountSidecars begins to count, before the first record is read.
func CountSidecars(dir string) (*SidecarCount, error) {
	c := &SidecarCount{dir: dir, begun: time.Now().UTC()}
	var err error
	if c.from, err = outputsEnd(dir); err != nil {
		return nil, err
	}
	corrections, err := ReadCorrections(dir)
	if err != nil {
		return nil, err
	}
	c.corrections = corrections.lines
	n := readSidecarNote(dir)
	_, more, known := n.From.described(dir, 0)
	c.whole = known && !more && n.Covered == 0 && n.Missing == 0
	return c, nil
}

// Exported notes an export: of all photos that there were when it began, or of some.
func (c *SidecarCount) Exported(all bool, upToDate, failed int) error {
	n := readSidecarNote(c.dir)
	switch {
	case all:
		n = sidecarNote{Time: c.begun, UpToDate: upToDate, Missing: failed, From: c.from, Corrections: c.corrections, PID: n.PID}
	case n.Time.IsZero() && upToDate > 0:
		n.Time, n.UpToDate, n.Covered = c.begun, upToDate, upToDate
	default:
		return nil // they may have been counted before
	}
	return n.write(c.dir)
}

// Removed notes that photos have no sidecar of ours any more: all of them, or so many.
func (c *SidecarCount) Removed(all bool, photos int) error {
	n := readSidecarNote(c.dir)
	switch {
	case n == sidecarNote{} || !all && photos == 0:
		return nil
	case all && n.PID != 0:
		n = sidecarNote{PID: n.PID, Removed: c.begun}
		return n.write(c.dir)
	case all:
		err := os.Remove(sidecarsPath(c.dir))
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return err
	}
	n.UpToDate = max(0, n.UpToDate-photos)
	n.Missing += photos
	return n.write(c.dir)
}

// RunBegun notes that this process describes photos and writes their sidecars.
func (c *SidecarCount) RunBegun() error {
	n := readSidecarNote(c.dir)
	n.PID = os.Getpid()
	return n.write(c.dir)
}

// RunEnded notes how many photos a run described, how many of their descriptions are in sidecars, and how many of these are new.
func (c *SidecarCount) RunEnded(described, written, made int) error {
	n := readSidecarNote(c.dir)
	n.PID = 0
	if n.Time.After(c.begun) || n.Removed.After(c.begun) { // an export has counted or removed some of them meanwhile
		return n.write(c.dir)
	}
	if written > 0 {
		n.Time = time.Now().UTC()
	}
	n.UpToDate += made
	n.Covered += written
	if end, err := outputsEnd(c.dir); err == nil && c.whole && described == written {
		n.From, n.Covered = end, 0
	}
	return n.write(c.dir)
}

// outputsEnd is the end of the newest output.
func outputsEnd(dir string) (outputsPlace, error) {
	files, err := outputFiles(dir)
	if err != nil || len(files) == 0 {
		return outputsPlace{}, err
	}
	last := files[len(files)-1]
	info, err := os.Stat(last)
	if err != nil {
		return outputsPlace{}, err
	}
	return outputsPlace{filepath.Base(last), info.Size()}, nil
}

// described counts the descriptions after the place by photo, in at most so many bytes; more is whether there are more bytes. It is
// not known where the output with the place is gone.
func (p outputsPlace) described(dir string, most int64) (photos map[key]int, more, known bool) {
	files, err := outputFiles(dir)
	if err != nil {
		return nil, false, false
	}
	known = p.File == ""
	for _, path := range files {
		from := int64(0)
		if !known {
			if filepath.Base(path) != p.File {
				continue
			}
			known, from = true, p.Size
		}
		n, err := describedAfter(path, from, most, func(k key) {
			if photos == nil {
				photos = map[key]int{}
			}
			photos[k]++
		})
		if err != nil {
			return nil, false, false
		}
		if most -= n; most < 0 {
			return photos, true, known
		}
	}
	return photos, false, known
}

// describedAfter calls found for each description after an offset, in at most so many bytes, and returns how many bytes there are.
func describedAfter(path string, from, most int64, found func(key)) (int64, error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	n := max(0, info.Size()-from)
	if n == 0 || most <= 0 {
		return n, nil
	}
	_, err = scanLines(io.NewSectionReader(f, from, min(n, most)), parseOutcome, func(_ int, o outcome, err error) {
		if err == nil && !o.failed {
			found(o.key)
		}
	})
	return n, err
}

// sidecars is what status says of the sidecars; nil where none were exported. pid is of the run that is up, 0 for none.
func sidecars(dir string, corrections *Corrections, pid int) *Sidecars {
	n := readSidecarNote(dir)
	if n.Time.IsZero() {
		return nil
	}
	s := &Sidecars{Time: n.Time, UpToDate: n.UpToDate, Writing: n.PID != 0 && n.PID == pid}
	described, more, known := n.From.described(dir, maxBehind)
	s.More = more || !known
	corrected := corrections.after(n.Corrections)
	if n.Covered > 0 { // it is not known of which photos
		s.OutOfDate = n.Missing - n.Covered + len(corrected)
		for _, times := range described {
			s.OutOfDate += times
		}
	} else {
		for _, path := range corrected {
			if described == nil {
				described = map[key]int{}
			}
			described[keyOf(path)]++
		}
		s.OutOfDate = n.Missing + len(described)
	}
	s.OutOfDate = max(0, s.OutOfDate)
	return s
}
