package llm

import (
	"math"
	"slices"
	"time"
)

// This file is the goroutine that touches the llama context: slots are filled,
// prefilled, generated from and emptied.

// run is the one goroutine that touches the llama context.
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
		e.askOn(slots)
		e.reap(slots) // slots that ended at once are filled again first
	}
}

// admit fills free slots with the pictures that wait; it blocks only while no
// slot is live. It reports false when the engine is to end.
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

// next takes the next picture; nil when none waits and busy is set.
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

// reap hands out finished answers and empties their slots.
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

func seconds(d time.Duration, share int) time.Duration {
	return time.Duration(math.Round(float64(d) / float64(max(share, 1))))
}
