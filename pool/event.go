package pool

import (
	"encoding/json"
	"time"

	"photodesc/internal/kinds"
)

// Kinds of Failure that the pool itself gives. A worker may give others.
const (
	KindCrash      = string(kinds.Crash)      // two workers died of it
	KindTimeout    = string(kinds.Timeout)    // it took too long twice
	KindMemory     = string(kinds.Memory)     // memory ran out three times while nothing else was in flight
	KindModel      = string(kinds.Model)      // the worker's error has no kind
	KindUnreadable = string(kinds.Unreadable) // its path is too long to be sent
)

// Result is the outcome of one photo.
type Result struct {
	Path     string
	Attempts int             // how often it was handed to a worker
	Data     json.RawMessage // the worker's answer; nil on failure
	Failure  *Failure        // nil on success
	Batch    int             // of the last attempt
	Seconds  float64         // that the last attempt took
}

// EventKind is the kind of an Event.
type EventKind string

// The kinds of event, and the fields that each has.
const (
	EventWorkerStart EventKind = "worker-start" // the process exists
	EventWorkerReady EventKind = "worker-ready" // it has loaded the model: Seconds, Info
	EventWorkerExit  EventKind = "worker-exit"  // Reason, Message, Photos answered, Seconds since its start
	EventMemory      EventKind = "memory"       // a sample: WorkerBytes of all workers, Memory, CPU, Celsius, InFlight, Ages
	EventHandOut     EventKind = "hand-out"     // a worker was given a photo: InFlight, Ages
	EventAnswer      EventKind = "answer"       // a worker answered: InFlight, Ages, Seconds of the attempt, Unneeded
	EventPause       EventKind = "pause"        // no photo is handed out: Reason memory, battery, heat, folder or cooldown
	EventResume      EventKind = "resume"       // Reason, Seconds paused
)

// Reasons of EventWorkerExit beside the kinds of death.
const (
	ReasonBatch    = "batch"         // its batch is done
	ReasonFinished = "finished"      // no photo is left
	ReasonMemory   = "memory-budget" // replaced before it takes too much memory
	ReasonFolder   = "folder"        // replaced because the photo folder was unavailable
	ReasonBattery  = "battery"       // the machine is on battery, and nothing was left in flight
	ReasonStop     = "stop"          // the run was stopped
)

// Event is one thing that happened, for programs that watch a run. Fields that do
// not belong to its kind are zero.
type Event struct {
	Kind        EventKind
	Batch       int
	Worker      int // counted from 1 over the run
	PID         int
	Reason      string
	Message     string
	Photos      int
	Seconds     float64
	InFlight    int     // photos handed to workers and not answered
	Ages        float64 // seconds since they were handed out, added up
	WorkerBytes uint64  // memory
	Memory      float64 // percent of the system's in use
	CPU         float64 // percent
	Celsius     float64
	Info        json.RawMessage // what the worker's Load returned
	Unneeded    bool            // Config.Needed has said so
}

// tracer is told what only tests want to know.
type tracer interface {
	batchStarted(b *batch)
	batchEnded(b *batch)
	handedOut(w *worker, a *attempt)
	unfinished(a *attempt)
}

type noTracer struct{}

func (noTracer) batchStarted(*batch)         {}
func (noTracer) batchEnded(*batch)           {}
func (noTracer) handedOut(*worker, *attempt) {}
func (noTracer) unfinished(*attempt)         {}

// Stats is a run in numbers.
type Stats struct {
	Photos      int               // results given to done
	Batches     int               // begun
	Workers     int               // processes started
	Deaths      map[DeathKind]int // workers that ended before their time
	Replaced    int               // workers replaced because of memory
	PeakWorkers uint64            // bytes of all workers together, in the highest sample
	Paused      time.Duration     // waiting for memory, mains power, heat, the photo folder or a cooldown
}
