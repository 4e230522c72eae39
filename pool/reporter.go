package pool

import (
	"fmt"
	"math"
	"time"

	"github.com/dustin/go-humanize"
	"go.uber.org/zap"

	"photodesc/internal/wording"
)

// reporter tells people, programs and statistics what happens.
type reporter struct {
	log     *zap.Logger
	observe func(Event)
	trace   tracer
	stats   Stats
}

func newReporter(cfg *Config) *reporter {
	return &reporter{log: cfg.Log, observe: cfg.Observe, trace: cfg.trace, stats: Stats{Deaths: map[DeathKind]int{}}}
}

func (r *reporter) info(format string, args ...any)  { r.log.Info(fmt.Sprintf(format, args...)) }
func (r *reporter) warn(format string, args ...any)  { r.log.Warn(fmt.Sprintf(format, args...)) }
func (r *reporter) debug(format string, args ...any) { r.log.Debug(fmt.Sprintf(format, args...)) }

// paused implements pauseListener.
func (r *reporter) paused(reason string) { r.observe(Event{Kind: EventPause, Reason: reason}) }

// resumed implements pauseListener.
func (r *reporter) resumed(reason string, took time.Duration) {
	r.stats.Paused += took
	if reason != pauseCooldown {
		r.info("Going on after %s", roundText(took))
	}
	r.observe(Event{Kind: EventResume, Reason: reason, Seconds: took.Seconds()})
}

func (r *reporter) batchStarted(b *batch, s sample) {
	if s.hasSys {
		stats := fmt.Sprintf("System stats - Memory: %.1f%% used (%.1f GB / %.1f GB)", s.system.UsedPercent,
			gigabytes(s.system.Total-s.system.Available), gigabytes(s.system.Total))
		if s.cpu >= 0 {
			stats += fmt.Sprintf(", CPU: %.1f%%", s.cpu)
		}
		r.info("%s", stats)
	}
	if b.remaining == math.MaxInt {
		r.info("Batch %d starts", b.n)
	} else {
		r.info("Batch %d starts, up to %s", b.n, wording.Count(b.remaining, "photo"))
	}
	r.trace.batchStarted(b)
}

func (r *reporter) batchEnded(b *batch, now time.Time) {
	took := now.Sub(b.began)
	r.info("Batch %d ends: %s in %s", b.n, wording.Count(b.answered, "photo"), roundText(took))
	r.trace.batchEnded(b)
}

func (r *reporter) workerReady(w *worker, h *hello, took time.Duration) {
	r.info("Worker %d (pid %d) is ready after %s", w.n, w.pid(), roundText(took))
	r.observe(Event{Kind: EventWorkerReady, Batch: w.batch.n, Worker: w.n, PID: w.pid(), Seconds: took.Seconds(),
		WorkerBytes: h.Mem, Info: h.Info})
}

func (r *reporter) workerExited(w *worker, reason, message string, now time.Time) {
	r.observe(Event{Kind: EventWorkerExit, Batch: w.batch.n, Worker: w.n, PID: w.pid(), Reason: reason, Message: message,
		Photos: w.answered, Seconds: now.Sub(w.times.started).Seconds()})
}

// handedOut tells that a photo was handed out.
func (r *reporter) handedOut(s *workerSet, now time.Time) {
	n, ages := s.inFlightAges(now)
	r.observe(Event{Kind: EventHandOut, InFlight: n, Ages: ages.Seconds()})
}

// answered tells that a photo was answered.
func (r *reporter) answered(a *attempt, s *workerSet, now time.Time) {
	n, ages := s.inFlightAges(now)
	r.observe(Event{Kind: EventAnswer, InFlight: n, Ages: ages.Seconds(), Seconds: a.took.Seconds(), Unneeded: a.unneeded})
}

// workerDied tells of a death, before the photos in flight are taken from w.
func (r *reporter) workerDied(w *worker, d death, stderr []string, now time.Time) {
	r.stats.Deaths[d.kind]++
	r.workerExited(w, string(d.kind), d.detail, now)
	photos := "no photo was in flight"
	if n := len(w.attempts); n > 0 {
		photos = wording.Count(n, "photo") + " in flight will be tried again"
	}
	r.warn("Worker %d (pid %d) died (%s): %s; %s", w.n, w.pid(), d.kind, d.detail, photos)
	for _, line := range stderr {
		r.debug("Worker %d: %s", w.n, line)
	}
}

func bytesText(n uint64) string { return humanize.IBytes(n) }

// gigabytes are of 2^30 bytes, as memory is sold.
func gigabytes(n uint64) float64 { return float64(n) / (1 << 30) }

// roundText is a duration, rounded to what a person wants to know.
func roundText(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
