// Package pool runs photos through worker processes, so that no crash of a worker
// ends the run.
//
// The work is done in C, which may leak, abort or hang. A Pool therefore runs it
// in other processes: it starts workers, hands each of them a batch of photos,
// collects the answers and replaces the process when its batch is done. The
// operating system then frees all that the process has leaked. The death of a
// worker is a normal event. The pool classifies its cause and tries the photos
// that were in flight again. A photo fails if the worker reports an error for it, if
// it takes too long twice, or if workers die repeatedly while no other photo is in
// flight: see quarantine.go.
//
// The package knows nothing about photos or models: a photo is a path, and an
// answer is JSON that is passed on unread. protocol.go describes what supervisor
// and worker send each other, and serve.go is the worker's side.
//
// The supervisor is one goroutine, the loop in run.go. It owns all state, and
// other goroutines send it events. Its decisions are made by parts that know
// nothing of processes: quarantine (which photo is charged with a death),
// dispatcher (who is given which photo), prestarter (when the next worker is
// loaded), throttle (pauses), storageProbe (is the photo folder there?),
// memoryProjection and memoryBudget (when is a worker replaced?).
package pool
