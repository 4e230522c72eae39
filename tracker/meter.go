package tracker

import "time"

const (
	// meterMinutes is how far back the rate of a run looks.
	meterMinutes = 60
	// meterTenSeconds is how many complete periods of ten seconds are kept.
	meterTenSeconds = 60

	century = 100 * 365 * 24 * 3600 // seconds
)

// meter measures photos against the time in which photos were described. Its
// clocks stand still between runs. The working clock also stands still while a
// run looks for photos, loads the first model, or waits for the storage.
type meter struct {
	Up         float64 `json:"up_seconds"`   // of all runs
	Work       float64 `json:"work_seconds"` // of these, photos were described
	Photos     int     `json:"photos"`       // finished in Work, failures included
	Minute     int     `json:"minute"`       // whole minutes in Work
	Minutes    []int   `json:"minutes,omitempty"`
	TenSeconds []int   `json:"tens,omitempty"` // photos of each of the last periods of ten seconds of Work
	Run        pace    `json:"run,omitzero"`
}

// advance moves the clocks forward.
func (m *meter) advance(by time.Duration) {
	if by <= 0 {
		return
	}
	m.Up += by.Seconds()
	if !m.Run.Working {
		return
	}
	before := m.Work
	m.Work += by.Seconds()
	m.Run.advance(by.Seconds())
	m.Minutes = shift(m.Minutes, int(m.Work/60)-m.Minute, meterMinutes)
	m.Minute = int(m.Work / 60)
	m.TenSeconds = shift(m.TenSeconds, int(m.Work/10)-int(before/10), meterTenSeconds)
}

// shift begins new counts and drops the oldest: the last one is still growing, and
// at most keep others remain.
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

// add counts photos that are finished now. Photos that fail while no worker has
// any, as those that the walk cannot open, are left out of the rate.
func (m *meter) add(photos int) {
	if !m.Run.Working {
		return
	}
	m.Minutes, m.TenSeconds = shift(m.Minutes, 0, meterMinutes), shift(m.TenSeconds, 0, meterTenSeconds)
	m.Photos += photos
	m.Minutes[len(m.Minutes)-1] += photos
	m.TenSeconds[len(m.TenSeconds)-1] += photos
	m.Run.add(photos)
}

// overall is the rate of all runs in photos an hour, 0 if nothing is known.
func (m *meter) overall() float64 { return perHour(float64(m.Photos), m.Work) }

// recent is the rate of this run over its last hour at most, in photos an hour,
// 0 while there are too few photos for it.
func (m *meter) recent() float64 {
	if !m.Run.known() {
		return 0
	}
	if m.Run.Seconds < 60*(meterMinutes+1) {
		return m.Run.rate()
	}
	photos := 0
	for _, n := range m.Minutes {
		photos += n
	}
	before := max(0, m.Minute-(len(m.Minutes)-1)) // minutes that are dropped
	return perHour(float64(photos), m.Work-60*float64(before))
}

// perHour is a rate. Each rate of the program is computed here.
func perHour(photos, seconds float64) float64 {
	if seconds <= 0 || photos <= 0 {
		return 0
	}
	return photos / seconds * 3600
}

// secondsLeft is how long so many photos take from now on, those in flight
// included, 0 if that is not known.
func (m *meter) secondsLeft(photos int) float64 {
	rate := m.recent()
	if rate <= 0 {
		return 0
	}
	left := float64(photos) - m.Run.parts(m.Run.Ages, m.Run.InFlight)
	return min(max(0, left)/rate*3600, century)
}

// clamp brings numbers from a damaged file into their ranges.
func (m *meter) clamp() {
	m.Photos = max(0, m.Photos)
	m.Up = min(max(0, m.Up), century)
	if m.Work == 0 && m.Photos > 0 { // written before the two clocks were told apart
		m.Work = m.Up
	}
	m.Work = min(max(0, m.Work), m.Up)
	m.Minute = int(m.Work / 60)
	if extra := len(m.Minutes) - (meterMinutes + 1); extra > 0 {
		m.Minutes = m.Minutes[extra:]
	}
	m.Minutes = m.Minutes[max(0, len(m.Minutes)-(m.Minute+1)):]
	m.TenSeconds = m.TenSeconds[max(0, len(m.TenSeconds)-(meterTenSeconds+1)):]
	for _, counts := range [][]int{m.Minutes, m.TenSeconds} {
		for i := range counts {
			counts[i] = max(0, counts[i])
		}
	}
	m.Run.clamp(m.Work)
}
