package pool

import "photodesc/internal/machine"

// samplers read the state of the machine. A test may replace each of them.
type samplers struct {
	// Worker is a process's own memory in bytes: anonymous and shared pages and
	// swap, without the mapped weights, which all workers share. The resident size
	// would shrink when the system swaps.
	Worker func(pid int) (uint64, error)

	System func() (machine.SystemMemory, error)

	// CPU is the load since the last call in percent, negative if unknown.
	CPU func() float64

	// Heat is the temperature of the hottest sensor in °C; ok is false if there is none.
	Heat func() (celsius float64, ok bool)

	// OnBattery reports whether the machine runs on its battery; nil is never asked.
	OnBattery func() bool

	// OOMKills is how often the system has killed a process for memory.
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
		s.CPU = machine.CPUPercent
	}
	if s.Heat == nil {
		s.Heat = machine.Hottest
	}
	if s.OOMKills == nil {
		s.OOMKills = machine.OOMKills
	}
	return s
}

// withoutMapped subtracts mapped bytes from what worker returns.
func withoutMapped(mapped uint64, worker func(pid int) (uint64, error)) func(pid int) (uint64, error) {
	return func(pid int) (uint64, error) {
		n, err := worker(pid)
		return n - min(n, mapped), err
	}
}

// sample is the state of the machine at one time. Where the system gives no
// figure, the fields are zero and has… is false.
type sample struct {
	workers map[int]uint64 // bytes, by process ID
	system  machine.SystemMemory
	hasSys  bool
	cpu     float64 // percent, negative if unknown
	celsius float64 // of the hottest sensor
	hasHeat bool

	onBattery bool
}

// sampleRequest names the processes to look at.
type sampleRequest struct {
	pids []int
	heat bool // read the sensors, which is slow
}

func (s samplers) take(req sampleRequest) sample {
	r := sample{workers: map[int]uint64{}, cpu: s.CPU()}
	for _, pid := range req.pids {
		// An error means that the process has just exited.
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
	if s.OnBattery != nil {
		r.onBattery = s.OnBattery()
	}
	return r
}
