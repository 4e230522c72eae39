package pool

import "photodesc/internal/machine"

// samplers look at the machine. Each may be replaced, by a test or by a program
// that knows better; a nil one is the system's own.
type samplers struct {
	// Worker is a process's own memory: anonymous and shared pages plus swap,
	// without the mapped weights, which cost nothing twice. Resident size alone
	// shrinks when the system swaps, which is just when it matters.
	Worker func(pid int) (uint64, error)

	System func() (machine.SystemMemory, error)

	// CPU is the load since the last call, 0 to 100; negative if unknown.
	CPU func() float64

	// Heat is the hottest sensor in °C, ok false where there is none.
	Heat func() (celsius float64, ok bool)

	// OOMKills is a count that grows when the system kills for memory.
	OOMKills func() uint64
}

func (s samplers) withDefaults() samplers {
	if s.Worker == nil {
		s.Worker = machine.ProcessMemory
	}
	if s.System == nil {
		s.System = machine.ReadSystemMemory
	}
	if s.CPU == nil {
		s.CPU = machine.NewCPUMeter()
	}
	if s.Heat == nil {
		s.Heat = machine.Hottest
	}
	if s.OOMKills == nil {
		s.OOMKills = machine.OOMKills
	}
	return s
}

// withoutMapped takes mapped off what a sampler says.
func withoutMapped(mapped uint64, worker func(pid int) (uint64, error)) func(pid int) (uint64, error) {
	return func(pid int) (uint64, error) {
		n, err := worker(pid)
		return n - min(n, mapped), err
	}
}

// sample is one look at everything.
type sample struct {
	workers map[int]uint64 // by pid
	system  machine.SystemMemory
	hasSys  bool
	cpu     float64
	celsius float64
	hasHeat bool
}

// sampleRequest names the processes to look at.
type sampleRequest struct {
	pids []int
	heat bool // reading sensors is slow, so only who needs it asks
}

func (s samplers) take(req sampleRequest) sample {
	r := sample{workers: map[int]uint64{}, cpu: s.CPU()}
	for _, pid := range req.pids {
		// A process that has just ended is no error worth a word.
		if n, err := s.Worker(pid); err == nil {
			r.workers[pid] = n
		}
	}
	if m, err := s.System(); err == nil {
		r.system, r.hasSys = m, true
	}
	if req.heat {
		r.celsius, r.hasHeat = s.Heat()
	}
	return r
}
