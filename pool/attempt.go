package pool

import "time"

// photo is one path that the pool has to do, over all its attempts.
type photo struct {
	path         string
	file         string // where it lies if not at path, see Config.Fetched
	attempts     int    // times handed to a worker
	crashes      int    // worker deaths while it was alone in its worker
	memoryDeaths int    // deaths by memory or from outside while it was alone
	timeouts     int    // times it took too long
	readErrors   int    // times a worker could not read it and the supervisor could
	// isolateInPool asks that no other photo is in flight in any worker, because
	// memory ran out when there were others.
	isolateInPool bool
	// probe marks a photo that already has its result. It is tried again only to
	// find out whether workers can still do any photo; its outcome is discarded.
	probe bool
}

// isolation says which other photos may be in flight beside an attempt.
type isolation int

const (
	shared           isolation = iota // any
	isolatedInWorker                  // none in the same worker
	isolatedInPool                    // none at all
)

// attempt is one photo handed to one worker.
type attempt struct {
	id        uint64
	photo     *photo
	worker    int // the worker's number
	batch     *batch
	isolation isolation
	began     time.Time
	took      time.Duration // set when it has ended
	asked     bool          // the worker asked whether its answer is needed
	unneeded  bool          // it is not
}

// requeue notes that the attempt's photo waits again. Its place in the batch is
// free again.
func (a *attempt) requeue(t tracer) {
	a.batch.remaining++
	t.unfinished(a)
}

// result is the Result of the attempt that failed with f.
func (a *attempt) result(f *Failure) Result {
	return Result{Path: a.photo.path, Attempts: a.photo.attempts, Failure: f, Batch: a.batch.n, Seconds: a.took.Seconds()}
}
