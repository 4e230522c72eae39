package pool

import (
	"encoding/json"
	"time"

	"photodesc/internal/kinds"
)

// Kinds of Failure that the pool itself gives. A worker may give others.
const (
	KindCrash      = string(kinds.Crash)      // the worker died of it twice
	KindTimeout    = string(kinds.Timeout)    // it took too long twice
	KindMemory     = string(kinds.Memory)     // memory ran out three times while it was alone
	KindModel      = string(kinds.Model)      // the worker's error named no kind
	KindUnreadable = string(kinds.Unreadable) // its path cannot be sent at all
)

// Result is what became of one photo.
type Result struct {
	Path     string
	Attempts int             // times it was handed to a worker
	Data     json.RawMessage // what the worker answered; nil on failure
	Failure  *Failure        // nil on success
	Batch    int             // that the last attempt was part of
	Seconds  float64         // in flight, in the last attempt
}

// EventKind names what an Event tells.
type EventKind string

const (
	EventBatchStart  EventKind = "batch-start"
	EventBatchEnd    EventKind = "batch-end"    // Photos answered, Seconds
	EventWorkerStart EventKind = "worker-start" // the process exists
	EventWorkerReady EventKind = "worker-ready" // model loaded: Seconds, Info
	EventWorkerExit  EventKind = "worker-exit"  // Reason, Message, Photos answered, Seconds
	EventPhotoOut    EventKind = "photo-out"    // handed to a worker: Path, Attempt
	EventPhotoBack   EventKind = "photo-back"   // unfinished, will be tried again: Path, Attempt, Reason
	EventMemory      EventKind = "memory"       // a sample: WorkerBytes (all workers), Memory, CPU, Celsius
	EventPause       EventKind = "pause"        // no new photos: Reason memory, heat, folder or cooldown
	EventResume      EventKind = "resume"       // Seconds paused
)

// Reasons of EventWorkerExit beside the kinds of death.
const (
	ReasonBatch    = "batch"         // its batch is done
	ReasonFinished = "finished"      // nothing left to do
	ReasonMemory   = "memory-budget" // replaced before it takes too much
	ReasonFolder   = "folder"        // replaced because the photo folder was away
	ReasonStop     = "stop"          // the run was stopped
)

// Event is one thing that happened, for statistics and for programs that watch.
// Fields that do not belong to its kind are zero.
type Event struct {
	Time        time.Time       `json:"time"`
	Kind        EventKind       `json:"event"`
	Batch       int             `json:"batch,omitempty"`
	Worker      int             `json:"worker,omitempty"` // counted from 1 over the run
	PID         int             `json:"pid,omitempty"`
	Path        string          `json:"path,omitempty"`
	Attempt     int             `json:"attempt,omitempty"`
	Reason      string          `json:"reason,omitempty"`
	Message     string          `json:"message,omitempty"`
	Photos      int             `json:"photos,omitempty"`
	Seconds     float64         `json:"seconds,omitempty"`
	InFlight    int             `json:"in_flight,omitempty"`
	WorkerBytes uint64          `json:"worker_bytes,omitempty"`
	Memory      float64         `json:"memory_percent,omitempty"`
	CPU         float64         `json:"cpu_percent,omitempty"`
	Celsius     float64         `json:"celsius,omitempty"`
	Info        json.RawMessage `json:"info,omitempty"`
}

// Stats is a run in numbers.
type Stats struct {
	OK          int               // photos with data
	Failed      map[string]int    // photos without, by kind
	Retried     int               // attempts after the first
	Batches     int               // begun
	Workers     int               // processes started
	Deaths      map[DeathKind]int // workers that ended before their time
	Replaced    int               // workers replaced because of memory
	PeakWorkers uint64            // bytes, all workers together, highest sample
	PeakWorker  uint64            // bytes, one worker, highest sample or report
	Paused      time.Duration     // waiting for memory, heat or cooldown
	LoadTime    time.Duration     // of a worker, average
	Wall        time.Duration
}

// Photos is the number of results given to done.
func (s Stats) Photos() int {
	n := s.OK
	for _, f := range s.Failed {
		n += f
	}
	return n
}
