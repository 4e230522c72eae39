package llm

import (
	"math"
	"slices"
	"time"
)

// run is the engine's goroutine, the only one that uses the llama context. It
// fills slots, prefills their prompts, generates tokens and empties the slots.
func (e *Engine) run() {
	defer close(e.done)
	slots := make([]*slot, e.opt.Parallel)
	defer func() {
		for _, s := range slots {
			s.close()
		}
	}()
	for {
		fresh, ok := e.admit(slots)
		if !ok {
			return
		}
		if len(fresh) > 0 {
			e.prefill(fresh)
		} else {
			e.generate(slots)
		}
		e.askNext(slots)
		e.reap(slots)
	}
}

// admit fills free slots with waiting pictures and returns those slots. It blocks
// only while no slot is occupied. ok is false once the engine is closed.
func (e *Engine) admit(slots []*slot) (fresh []*slot, ok bool) {
	for i := range slots {
		if slots[i] != nil {
			continue
		}
		j, ok := e.next(slices.ContainsFunc(slots, func(s *slot) bool { return s != nil }))
		if !ok {
			return nil, false
		}
		if j == nil {
			break
		}
		s := &slot{id: i, job: j}
		if err := e.encode(s); err != nil {
			j.fail(err)
			continue
		}
		if err := e.ask(s, 0); err != nil {
			j.fail(err)
			continue
		}
		slots[i] = s
		fresh = append(fresh, s)
	}
	return fresh, true
}

// next returns the next picture. With busy it does not wait: j is nil if there is
// none. ok is false once the engine is closed.
func (e *Engine) next(busy bool) (j *job, ok bool) {
	if busy {
		select {
		case <-e.quit:
			return nil, false
		case j := <-e.in:
			return j, true
		default:
			return nil, true
		}
	}
	select {
	case <-e.quit:
		return nil, false
	case j := <-e.in:
		return j, true
	}
}

// reap returns finished answers to their callers and empties the slots.
func (e *Engine) reap(slots []*slot) {
	for i, s := range slots {
		if s == nil {
			continue
		}
		if err := s.job.ctx.Err(); err != nil && !s.ended {
			s.job.err, s.ended = err, true
		}
		if s.ended {
			e.ctx.forget(i)
			s.close()
			close(s.job.ready)
			slots[i] = nil
		}
	}
}

func (j *job) fail(err error) {
	j.err = err
	close(j.ready)
}

// split divides the duration of a step among n slots.
func split(d time.Duration, n int) time.Duration {
	return time.Duration(math.Round(float64(d) / float64(max(n, 1))))
}
