package tracker

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

const (
	stateVersion = 1
	// maxState bounds the state file; a real one has a few kB.
	maxState    = 1 << 20
	maxRecent   = 16
	maxFailures = 8
	maxRestarts = 8
	// snippetLen bounds the piece of a description that status shows, in bytes.
	snippetLen = 300
)

// StopReason says how a run ended.
type StopReason string

// The reasons.
const (
	Finished StopReason = "finished" // nothing left to do
	Stopped  StopReason = "stopped"  // somebody asked for it
	Broke    StopReason = "error"    // it could not go on
)

// Stop is how and when a run ended.
type Stop struct {
	Reason StopReason `json:"reason"`
	Text   string     `json:"text,omitempty"` // for people; the error
	Time   time.Time  `json:"time"`
}

// Recent is a photo that was handled lately.
type Recent struct {
	Path   string    `json:"path"` // EncodePath'd
	Status Status    `json:"status"`
	Text   string    `json:"text"` // beginning of the description, or the error
	Kind   Kind      `json:"kind,omitempty"`
	Time   time.Time `json:"time"`
}

// Restart is a worker that had to be replaced before its time.
type Restart struct {
	Time   time.Time `json:"time"`
	Reason string    `json:"reason"`         // one of a few fixed words
	Text   string    `json:"text,omitempty"` // what is known of it
}

// state is what a run leaves behind for status and summary.
type state struct {
	Version  int       `json:"version"`
	Root     string    `json:"root"` // EncodePath'd in the file
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"`
	Updated  time.Time `json:"updated"`      // when this was written
	Idle     float64   `json:"idle_seconds"` // then, since the last sign of progress
	Activity time.Time `json:"activity"`     // the last sign of progress
	Timeout  float64   `json:"timeout_seconds"`
	Phase    string    `json:"phase,omitempty"`
	Since    time.Time `json:"phase_since,omitzero"` // when the phase began
	Waiting  bool      `json:"waiting,omitempty"`
	Watching bool      `json:"watching,omitempty"` // for new photos, with all others described
	Batch    int       `json:"batch"`
	Model    string    `json:"model"`
	Prompt   string    `json:"prompt"`
	Args     []string  `json:"args,omitempty"` // that go on with it

	NoRequests bool `json:"no_requests,omitempty"` // it describes nothing that is asked for

	Total        int   `json:"total"` // described, failed and still there, to do
	Done         int   `json:"done"`
	Failed       int   `json:"failed"`
	Gone         int   `json:"gone,omitempty"` // of Failed, not in the photo folder any more
	Retrying     int   `json:"retrying,omitempty"`
	GoneDone     int   `json:"gone_done,omitempty"`     // of Done, not in the photo folder any more
	GoneShared   int   `json:"gone_shared,omitempty"`   // of GoneDone and Shared
	GoneRetrying int   `json:"gone_retrying,omitempty"` // of Retrying, not in the photo folder any more
	Later        int   `json:"later,omitempty"`         // left to later runs by --limit
	Shared       int   `json:"shared,omitempty"`        // of Done, with the words of another photo
	RunDone      int   `json:"run_done"`                // described by this run
	RunShared    int   `json:"run_shared,omitempty"`    // given the words of another photo by this run
	RunFailed    int   `json:"run_failed"`
	ProgressSize int64 `json:"progress_size"` // bytes of the progress file that Done counts

	Meter    meter     `json:"meter"`
	Recent   []Recent  `json:"recent,omitempty"`        // newest last
	Failures []Recent  `json:"failures,omitempty"`      // the last of them, newest last
	Restarts []Restart `json:"last_restarts,omitempty"` // newest last
	Log      string    `json:"log,omitempty"`           // of the run, relative to the workdir
	Sample   Sample    `json:"sample"`
	Counters Counters  `json:"counters"`
	LeftOut  LeftOut   `json:"left_out,omitzero"`
	Nodes    []Node    `json:"nodes,omitempty"` // that take part in the run
	Stop     *Stop     `json:"stop,omitempty"`
}

// newest cuts a list off at the front.
func newest[T any](list []T, most int) []T { return list[max(0, len(list)-most):] }

// died reports whether the last run ended without recording how.
func (s *state) died() bool { return s.PID != 0 && s.Stop == nil }

// readState reads the state file. Without one the error is os.ErrNotExist.
// Whatever the error, the state returned is usable.
func readState(dir string) (state, error) {
	data, err := fsutil.ReadSmall(filepath.Join(dir, StateName), maxState)
	if err != nil {
		return state{}, err
	}
	return parseState(data)
}

func parseState(data []byte) (state, error) {
	if len(data) > maxState {
		return state{}, errors.New("too large")
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, err
	}
	if s.Version != stateVersion {
		return state{}, fmt.Errorf("of version %d, not %d", s.Version, stateVersion)
	}
	if s.Root != "" {
		root, err := DecodePath(s.Root)
		if err != nil {
			return state{}, err
		}
		s.Root = root
	}
	for _, n := range []*int{&s.PID, &s.Batch, &s.Total, &s.Done, &s.Failed, &s.Gone, &s.GoneDone, &s.GoneShared, &s.Retrying, &s.GoneRetrying, &s.Later, &s.Shared, &s.RunDone, &s.RunShared, &s.RunFailed} {
		*n = max(0, *n)
	}
	s.ProgressSize = max(0, s.ProgressSize)
	s.Recent = newest(s.Recent, maxRecent)
	s.Failures = newest(s.Failures, maxFailures)
	s.Restarts = newest(s.Restarts, maxRestarts)
	s.Nodes = newest(s.Nodes, maxShownNodes)
	s.Meter.clamp()
	s.LeftOut.clamp()
	return s, nil
}

func (s state) write(dir string) error {
	data, err := s.encode()
	if err != nil {
		return err
	}
	path := filepath.Join(dir, StateName)
	err = durable.WriteFile(path, data, 0o644)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		s.Recent, s.Failures, s.Restarts, s.LeftOut, s.Nodes = nil, nil, nil, LeftOut{}, nil
		if data, e := s.encode(); e == nil && overwrite(path, data) == nil {
			return nil
		}
	}
	return err
}

func (s state) encode() ([]byte, error) {
	s.Version = stateVersion
	if s.Root != "" {
		s.Root = EncodePath(s.Root)
	}
	data, err := json.MarshalIndent(s, "", " ")
	return append(data, '\n'), err
}

// overwrite writes into the blocks that a file has, so that the reason why a run ended
// can be written to a full disk. A file that is half written is ignored; no result is
// lost by it.
func overwrite(path string, data []byte) error {
	f, err := fsutil.OpenRegular(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Close())
}

// removeLeftovers removes what writing the state or settings, or a merge, leaves when it is
// killed. The workdir's lock is held.
func removeLeftovers(dir string) {
	for _, pattern := range []string{
		filepath.Join(fsutil.QuoteGlob(dir), "."+StateName+"*"),
		filepath.Join(fsutil.QuoteGlob(dir), OutputsName, "."+settingsPrefix+"*"),
		filepath.Join(fsutil.QuoteGlob(dir), OutputsName, mergePattern),
	} {
		left, _ := filepath.Glob(pattern)
		for _, path := range left {
			_ = os.Remove(path)
		}
	}
}
