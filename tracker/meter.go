package tracker

import "time"

const (
	// meterMinutes is how far back the recent rate looks.
	meterMinutes = 60
	// meterTens is how many times ten seconds are kept apart.
	meterTens = 60
)

// meter measures photos against the time in which runs were up. Its clock
// stands still between runs, so that a rate is not diluted by the nights.
type meter struct {
	Up      float64 `json:"up_seconds"`
	Photos  int     `json:"photos"`            // handled in that time, failures included
	Minute  int     `json:"minute"`            // whole minutes in Up
	Minutes []int   `json:"minutes,omitempty"` // photos of each of the last minutes, the running one last
	Tens    []int   `json:"tens,omitempty"`    // the same of the last ten seconds each, for who watches a young run
}

// advance moves the clock forward.
func (m *meter) advance(by time.Duration) {
	if by <= 0 {
		return
	}
	before := m.Up
	m.Up += by.Seconds()
	m.Minutes = shift(m.Minutes, int(m.Up/60)-m.Minute, meterMinutes)
	m.Minute = int(m.Up / 60)
	m.Tens = shift(m.Tens, int(m.Up/10)-int(before/10), meterTens)
}

// shift begins new counts and forgets the oldest: one runs, and at most keep
// are whole.
func shift(counts []int, begin, keep int) []int {
	if len(counts) == 0 {
		counts = []int{0}
	}
	for range min(begin, keep+1) {
		counts = append(counts, 0)
	}
	if extra := len(counts) - (keep + 1); extra > 0 {
		counts = append(counts[:0], counts[extra:]...)
	}
	return counts
}

// add counts photos that are done now.
func (m *meter) add(photos int) {
	m.Minutes, m.Tens = shift(m.Minutes, 0, meterMinutes), shift(m.Tens, 0, meterTens)
	m.Photos += photos
	m.Minutes[len(m.Minutes)-1] += photos
	m.Tens[len(m.Tens)-1] += photos
}

// perHour is the rate over all runs, 0 when there is nothing to go by.
func (m *meter) perHour() float64 { return hourly(m.Photos, m.Up) }

// lastHour is the rate over the last hour of up-time, in photos an hour.
func (m *meter) lastHour() float64 {
	photos := 0
	for _, n := range m.Minutes {
		photos += n
	}
	before := max(0, m.Minute-(len(m.Minutes)-1)) // minutes that are forgotten
	return hourly(photos, m.Up-60*float64(before))
}

func hourly(photos int, seconds float64) float64 {
	if seconds < 1 {
		return 0
	}
	return float64(photos) / seconds * 3600
}

// sound mends figures that no meter has, as a damaged file may hold them.
func (m *meter) sound() {
	const century = 100 * 365 * 24 * 3600
	m.Photos = max(0, m.Photos)
	m.Up = min(max(0, m.Up), century)
	m.Minute = int(m.Up / 60)
	if extra := len(m.Minutes) - (meterMinutes + 1); extra > 0 {
		m.Minutes = m.Minutes[extra:]
	}
	m.Minutes = m.Minutes[max(0, len(m.Minutes)-(m.Minute+1)):]
	m.Tens = m.Tens[max(0, len(m.Tens)-(meterTens+1)):]
	for _, counts := range [][]int{m.Minutes, m.Tens} {
		for i := range counts {
			counts[i] = max(0, counts[i])
		}
	}
}
