package tracker

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Names inside a workdir. A walker of photos leaves these out.
const (
	ProgressName = "photo_descriptions_progress.txt"
	OutputsName  = "outputs"
	LogsName     = "logs"
	LockName     = "photodesc.pid"
	StateName    = "photodesc_state.json"

	ConsoleName = "console.log" // in the logs, of a run without a terminal
)

const (
	outputPrefix = "image_analysis_"
	outputSuffix = ".jsonl"
	logPrefix    = "photodesc_"
	logSuffix    = ".log"
	stampLayout  = "20060102_150405"
)

// LogPath returns where the log of a run started at the given time belongs.
func LogPath(dir string, started time.Time) string {
	return filepath.Join(dir, LogsName, logPrefix+started.Format(stampLayout)+logSuffix)
}

// nextOutput returns a name for the outputs of a run that comes after those
// there are, however a shell sorts them: the newest line of a photo counts. It
// has the run's start unless the clock was put back since the newest, as at the
// end of summer time, or the newest is of the same second. later counts from 0,
// in seconds: the name belongs to something that is not a file.
func nextOutput(dir string, started time.Time, later int) (string, error) {
	files, err := outputFiles(dir)
	if err != nil {
		return "", err
	}
	// As if there were no time zones, in which clocks go back.
	next, err := time.Parse(stampLayout, started.Format(stampLayout))
	if err != nil {
		return "", err
	}
	for _, path := range files {
		stamp := strings.TrimPrefix(filepath.Base(path), outputPrefix)
		t, err := time.Parse(stampLayout, stamp[:min(len(stampLayout), len(stamp))])
		if err == nil && !t.Before(next) {
			next = t.Add(time.Second)
		}
	}
	next = next.Add(time.Duration(later) * time.Second)
	return outputPrefix + next.Format(stampLayout) + outputSuffix, nil
}

// outputFiles lists the outputs of a workdir, oldest first. A workdir without
// outputs has none.
func outputFiles(dir string) ([]string, error) {
	names, err := matching(filepath.Join(dir, OutputsName), outputPrefix, outputSuffix)
	if err != nil {
		return nil, err
	}
	for i, name := range names {
		names[i] = filepath.Join(dir, OutputsName, name)
	}
	return names, nil
}

// NewestLog returns the newest log relative to the workdir, or "".
func NewestLog(dir string) string {
	names, err := matching(filepath.Join(dir, LogsName), logPrefix, logSuffix)
	if err != nil || len(names) == 0 {
		return ""
	}
	return filepath.Join(LogsName, names[len(names)-1])
}

// matching lists the files of a folder with the given beginning and end of
// name, ordered by time stamp and then by a number, if they have one, so that _10
// follows _9.
func matching(dir, prefix, suffix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		// A pipe of such a name would keep its reader waiting for ever.
		regular := e.Type()&^fs.ModeSymlink == 0
		if regular && strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), suffix) {
			names = append(names, e.Name())
		}
	}
	stem := func(name string) string { return strings.TrimSuffix(name, suffix) }
	slices.SortFunc(names, func(a, b string) int {
		a, b = stem(a), stem(b)
		stampLen := len(prefix) + len(stampLayout)
		if len(a) >= stampLen && len(b) >= stampLen && a[:stampLen] == b[:stampLen] && len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return names, nil
}
