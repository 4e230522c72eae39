package llm

import (
	"syscall"
	"time"

	"photodesc/llm/kernels"
)

// computeThreads has the number of threads that an engine's computations use. It
// belongs to one goroutine.
type computeThreads struct {
	count int
	// record takes when a computation ended, its duration and the processor time that
	// the process used in it. It returns the number of threads for the next. Nil: the
	// number stays.
	record func(end time.Time, wall, cpu time.Duration) int
}

// fixedThreads are always n.
func fixedThreads(n int) *computeThreads { return &computeThreads{count: n} }

// sharedThreads are at most n, fewer while other programs use the cores.
func sharedThreads(n int) *computeThreads {
	if processorTime() == 0 {
		return fixedThreads(n)
	}
	return &computeThreads{count: n, record: newThreadRule(n).record}
}

// compute runs f with the number of threads to compute with. See kernels.Compute.
func (t *computeThreads) compute(w kernels.Work, f func(threads int)) {
	if t.record == nil {
		kernels.Compute(w, func() { f(t.count) })
		return
	}
	kernels.Compute(w, func() {
		began, used := time.Now(), processorTime()
		f(t.count)
		cpu, end := processorTime()-used, time.Now()
		t.count = t.record(end, end.Sub(began), cpu)
	})
}

// processorTime is what this process has used, in all of its threads; 0: unknown.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
