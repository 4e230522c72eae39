package pool

import "time"

// sampler asks for samples of the machine at regular times. They are taken on a
// goroutine of its own, because a machine short of memory answers slowly.
type sampler struct {
	samplers samplers
	every    time.Duration
	heat     bool // temperatures are wanted

	requests chan sampleRequest
	samples  chan sample

	last    sample
	state   samplerState
	askedAt time.Time
	nextAt  time.Time
}

type samplerState int

const (
	samplerNew     samplerState = iota // no sample yet, and none asked for
	samplerFirst                       // the first one is asked for
	samplerIdle                        // there is a sample
	samplerWaiting                     // there is one, and the next is asked for
)

func newSampler(cfg *Config) *sampler {
	return &sampler{samplers: cfg.samplers, every: cfg.sampleEvery, heat: cfg.MaxTemp > 0,
		requests: make(chan sampleRequest, 1), samples: make(chan sample, 1)}
}

// serve answers requests until there are no more.
func (s *sampler) serve() {
	defer close(s.samples)
	for req := range s.requests {
		s.samples <- s.samplers.take(req)
	}
}

// request asks for the next sample when it is due.
func (s *sampler) request(pids []int, now time.Time) {
	switch {
	case now.Before(s.nextAt):
		return
	case s.state == samplerNew:
		s.state = samplerFirst
	case s.state == samplerIdle:
		s.state = samplerWaiting
	default:
		return
	}
	s.askedAt, s.nextAt = now, now.Add(s.every)
	s.requests <- sampleRequest{pids: pids, heat: s.heat}
}

// received notes an answer. It reports whether it is the first.
func (s *sampler) received(got sample) (first bool) {
	first = !s.any()
	s.last, s.state = got, samplerIdle
	return first
}

// any is whether a sample was taken.
func (s *sampler) any() bool { return s.state == samplerIdle || s.state == samplerWaiting }

// system is the latest state of the system's memory. Before the first sample it
// is read at once, because the first batch starts before that.
func (s *sampler) system() sample {
	if !s.any() {
		if m, err := s.samplers.System(); err == nil {
			s.last.system, s.last.hasSys, s.last.cpu = m, true, -1
		}
	}
	return s.last
}
