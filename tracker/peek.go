package tracker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"photodesc/internal/fsutil"
)

// Snapshot is the state of a workdir, for status.
type Snapshot struct {
	Dir     string `json:"dir"`
	Root    string `json:"root,omitempty"` // the photo folder, EncodePath'd; "" when not known
	HasRun  bool   `json:"has_run"`        // false in a folder that never was a workdir
	State   State  `json:"state"`          // the following in one word
	Running bool   `json:"running"`
	Stalled bool   `json:"stalled"` // up, and silent for longer than a photo may take
	Died    bool   `json:"died"`    // not up, and the last run ended without a word
	PID     int    `json:"pid,omitempty"`
	Stop    *Stop  `json:"stop,omitempty"` // how the last run ended, unless it died

	Progress

	Phase      string    `json:"phase,omitempty"`
	Waiting    bool      `json:"waiting,omitempty"`    // Phase is what the run waits for
	Watching   bool      `json:"watching,omitempty"`   // all is described, and the run waits for new photos
	PhaseSince time.Time `json:"phase_since,omitzero"` // when Phase began
	Model      string    `json:"model,omitempty"`
	Prompt     string    `json:"prompt,omitempty"`
	Args       []string  `json:"args,omitempty"` // of the program, to go on

	PerMinute []int `json:"per_minute,omitempty"` // photos of the last minutes of describing, the last one not over yet
	PerTen    []int `json:"per_ten_seconds,omitempty"`

	Started    time.Time `json:"started,omitzero"`
	LastUpdate time.Time `json:"last_update,omitzero"`    // the last sign of progress
	Recent     []Recent  `json:"recent,omitempty"`        // newest last
	Failures   []Recent  `json:"failures,omitempty"`      // the last of them, newest last
	Restarts   []Restart `json:"last_restarts,omitempty"` // newest last
	Log        string    `json:"log,omitempty"`           // relative to Dir
	LogGone    bool      `json:"log_deleted,omitempty"`   // the log of the run that is up is not there any more
	Damage     string    `json:"damage,omitempty"`        // why the figures of earlier runs are lost
	Sample     Sample    `json:"sample"`
	Counters   Counters  `json:"counters"`
	LeftOut    LeftOut   `json:"left_out,omitzero"` // by the last run's walk

	Corrected          int `json:"corrected,omitempty"`           // photos that a person corrected
	DamagedCorrections int `json:"damaged_corrections,omitempty"` // lines of the corrections that cannot be read

	Requests   *RequestCounts `json:"requests,omitempty"`    // what was asked of runs, where there is anything
	NoRequests bool           `json:"no_requests,omitempty"` // the run that is up describes nothing that is asked for

	Sidecars *Sidecars `json:"sidecars,omitempty"` // where some were exported

	Nodes []Node `json:"nodes,omitempty"` // machines that take part in the last run, by name; those that are there first
}

// TakesRequests is whether a run is up that takes up what is asked of a model; "" is any.
func (s *Snapshot) TakesRequests(model string) bool {
	return s.Running && !s.NoRequests && (model == "" || model == s.Model)
}

// State is the state of a workdir in one word.
type State string

// The states.
const (
	StateNone     State = "none"     // no run has worked here
	StateRunning  State = "running"  // describing, or about to
	StateWaiting  State = "waiting"  // up, and waits on purpose
	StateWatching State = "watching" // up, with nothing left to do, and waits for new photos
	StateStalled  State = "stalled"  // up, and silent for longer than a photo may take
	StateFinished State = "finished" // not up, nothing left to do
	StateStopped  State = "stopped"  // not up, somebody asked for it
	StateBroke    State = "error"    // not up, it could not go on
	StateDied     State = "died"     // not up, ended without a word
)

func (s *Snapshot) state() State {
	switch {
	case s.Running && s.Stalled:
		return StateStalled
	case s.Running && s.Waiting:
		return StateWaiting
	case s.Running && s.Watching:
		return StateWatching
	case s.Running:
		return StateRunning
	case !s.HasRun:
		return StateNone
	case s.Died:
		return StateDied
	case s.Stop != nil && s.Stop.Reason == Broke:
		return StateBroke
	case s.Stop != nil && s.Stop.Reason == Finished && s.Remaining == 0:
		return StateFinished
	}
	// A run that --limit has ended is shown as stopped, and so is one whose end is
	// unknown.
	return StateStopped
}

// LastPhoto is the photo handled last, or nil.
func (s *Snapshot) LastPhoto() *Recent {
	if len(s.Recent) == 0 {
		return nil
	}
	return &s.Recent[len(s.Recent)-1]
}

// Peek looks at a workdir from outside, running or not, without changing or
// locking anything. It reads a few kB after any number of photos; only where
// the state file is missing or damaged does it read the progress file and the
// outputs; the corrections are read as a whole, and where sidecars were exported up to a MiB of what was described since. A folder without a run is no error.
func Peek(dir string) (Snapshot, error) {
	return peek(dir, time.Now())
}

func peek(dir string, now time.Time) (Snapshot, error) {
	if _, err := os.Stat(dir); err != nil {
		return Snapshot{}, err
	}
	// The lock is read before the state. If the run ends between the two, it is
	// shown as running once more, and correctly the next time. The other order could
	// show a run that ended normally as died.
	running, pid, _ := Running(dir)
	s, stateErr := readState(dir)
	known := stateErr == nil
	done, err := countDone(dir, &s, known)
	if err != nil {
		return Snapshot{}, err
	}
	if !known {
		if s.Failed, err = countFailed(dir); err != nil {
			return Snapshot{}, err
		}
	}
	snap := Snapshot{
		Dir: dir, HasRun: known || done > 0 || s.Failed > 0,
		Running: running, PID: pid,
		Phase: s.Phase, PhaseSince: s.Since, Waiting: s.Waiting, Watching: s.Watching, Model: s.Model, Prompt: s.Prompt, Args: s.Args,
		Started: s.Started, LastUpdate: s.Activity, Recent: s.Recent, Failures: s.Failures, Restarts: s.Restarts, Log: NewestLog(dir),
		Sample: s.Sample.rounded(), Counters: s.Counters.rounded(), LeftOut: s.LeftOut, Nodes: nodesAt(s.Nodes, running, now),
	}
	if !known && !errors.Is(stateErr, os.ErrNotExist) {
		snap.Damage = fmt.Sprintf("%s is not readable: %v", StateName, stateErr)
	}
	if s.Root != "" {
		snap.Root = EncodePath(s.Root)
	}
	if running {
		snap.HasRun, snap.NoRequests = true, s.NoRequests
		if s.Log != "" {
			_, err := os.Lstat(filepath.Join(dir, s.Log))
			snap.LogGone = errors.Is(err, os.ErrNotExist)
		}
		if pid == 0 && s.died() { // its pid file was removed, and it has not noticed
			snap.PID = s.PID
		}
		snap.Stalled = s.stalled(now)
		s.Meter.advance(now.Sub(s.Updated))
	} else {
		snap.Died, snap.Stop, snap.Phase, snap.Waiting, snap.Watching, snap.PhaseSince = s.died(), s.Stop, "", false, false, time.Time{}
		// They will be tried again only when somebody asks for it.
		s.Failed += max(0, s.Retrying-s.GoneRetrying)
		s.Meter.Run.handedOut(0, 0)
		s.Phase = ""
	}
	s.Done = done
	snap.Progress = s.progress()
	snap.PerMinute, snap.PerTen = s.Meter.Minutes, s.Meter.TenSeconds
	snap.State = snap.state()
	corrections, err := ReadCorrections(dir)
	if err != nil && snap.Damage == "" {
		snap.Damage = err.Error()
	}
	snap.Corrected, snap.DamagedCorrections = corrections.Len(), corrections.Bad
	snap.Requests = requestCounts(dir)
	if !running {
		pid = 0
	}
	snap.Sidecars = sidecars(dir, corrections, pid)
	return snap, nil
}

// stalled reports whether a run that is up has shown no progress for too long.
func (s *state) stalled(now time.Time) bool {
	if s.Timeout == 0 {
		return false // the run has not got as far as saying
	}
	limit := time.Duration(s.Timeout * float64(time.Second))
	silent := now.Sub(s.Updated)
	if silent > 3*heartbeat+limit {
		return true // not even the heartbeat comes
	}
	// Idle does not count the time the machine slept, now-Activity does.
	return !s.Waiting && !s.Watching && time.Duration(s.Idle*float64(time.Second))+min(silent, 3*heartbeat) > limit
}

// countDone is the number of described photos: what the state counted and the
// lines that have come since.
func countDone(dir string, s *state, known bool) (int, error) {
	f, err := fsutil.OpenRegular(filepath.Join(dir, ProgressName), os.O_RDONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	counted := 0
	if known && s.ProgressSize <= info.Size() {
		if _, err := f.Seek(s.ProgressSize, io.SeekStart); err != nil {
			return 0, err
		}
		counted = s.Done
	}
	buf := make([]byte, 256<<10)
	for {
		n, err := f.Read(buf)
		counted += bytes.Count(buf[:n], []byte{'\n'})
		if err == io.EOF {
			return counted, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// countFailed reads all outputs for the number of photos that failed and were
// never described.
func countFailed(dir string) (int, error) {
	described := map[key]bool{}
	err := readOutputs(dir, parseOutcome, func(_ string, _ int, o outcome, err error) {
		switch {
		case err != nil:
		case o.forgotten:
			delete(described, o.key)
		case !described[o.key]:
			described[o.key] = !o.failed
		}
	})
	failed := 0
	for _, ok := range described {
		if !ok {
			failed++
		}
	}
	return failed, err
}
