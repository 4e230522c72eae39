// Package tracker keeps the results of runs: which photos are described, what was
// said about them, which failed and why. It also computes the numbers that are shown
// of a run, see [Progress].
//
// # Files
//
// A workdir holds
//
//   - photo_descriptions_progress.txt: the photos that are described, one path a
//     line; it is only appended to;
//   - outputs/image_analysis_*.jsonl: one [Record] a line, one file a run;
//   - outputs/settings_ID.json: the [Settings] that result lines name by their
//     ID: all that decides what descriptions say;
//   - outputs/corrections.jsonl: what people say of photos in place of the model, one
//     [Correction] a line; it has a lock of its own, so that it may be written while a run works;
//   - photodesc.pid: the process that works here. It and the progress file are locked while a
//     run works, see [LockedError];
//   - photodesc_state.json: figures for [Peek] and [Summarize] and the name of
//     the photo folder; if it is lost, no result is lost;
//   - logs/: created here and written by others.
//
// # Promises
//
// [Tracker.Add] returns nil only when the photo's result line and, for a
// described photo, its progress line are on the disk. A photo gets a second ok
// line only when it is described again with other settings ([Tracker.Use]) or its file was
// changed ([Files.Forget], [Files.Refresh]), and a moved one under its new path; then
// the newest line is valid, its progress line stays the only one, and old lines are
// not changed. [Open] repairs what a crash left: it removes a torn last line, adds
// the progress line of a result that has none, and reports and skips a damaged line.
// Whatever the state of the files, it fails only if the workdir cannot be written,
// another run has locked it, or it belongs to another photo folder.
//
// [Photos] is the one reader of results and corrections together: it gives what counts of each photo. [Follow] gives
// what was added since.
//
// One run works in a workdir at a time. If photodesc.pid is removed, it is written
// again, and a second run is still refused. If the progress file was removed as well,
// or the workdir was moved and another run began in its place, the run notices it
// within two seconds and before it writes another line, and ends: see
// [Tracker.Broken]. A file system without locks is refused. One without fsync is
// not: a kill loses nothing there, and a power cut the newest lines at most.
//
// A byte that changed into another letter cannot be detected, because the line is
// still valid. In the progress file the result line repairs it; in a result line
// nothing does.
package tracker
