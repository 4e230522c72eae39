package tracker

const (
	// fewPhotos is the least number of finished photos that a rate is computed from.
	fewPhotos = 5
	// maxInFlight bounds the photos in flight that a state file may tell of.
	maxInFlight = 1 << 16
)

// pace estimates the rate of one run from its beginning. Photos finish in bursts,
// because several are described together, and the first ones take as long as any
// to arrive. So photos in flight count as well, each for the part of its time that
// has passed.
type pace struct {
	Working bool    `json:"working"`
	Seconds float64 `json:"seconds"` // since the first photo was handed out
	Photos  int     `json:"photos"`  // finished since, failures included

	InFlight    int     `json:"in_flight"`     // photos handed to workers and not answered
	Ages        float64 `json:"ages"`          // seconds since they were handed out, added up
	MaxInFlight int     `json:"max_in_flight"` // the most at once in this run
	Answers     int     `json:"answers"`
	Took        float64 `json:"took"` // seconds from hand-out to answer, added up

	// Warm is when as many photos were finished as there can be in flight. The
	// first ones may be slow, because caches are cold.
	Warm mark `json:"warm,omitzero"`
}

// mark is a moment of a run.
type mark struct {
	Seconds float64 `json:"seconds"`
	Photos  int     `json:"photos"`
	Ages    float64 `json:"ages"`
}

func (p *pace) advance(seconds float64) {
	p.Seconds += seconds
	p.Ages += seconds * float64(p.InFlight)
}

// handedOut sets how many photos are in flight and the sum of their ages. The clock
// starts with the first one.
func (p *pace) handedOut(photos int, ages float64) {
	p.InFlight, p.Ages = photos, ages
	p.MaxInFlight = max(p.MaxInFlight, photos)
	if photos > 0 {
		p.Working = true
	}
}

// answered notes how long an attempt took from hand-out to answer.
func (p *pace) answered(seconds float64) {
	p.Answers++
	p.Took += seconds
}

func (p *pace) add(photos int) {
	p.Photos += photos
	if p.Warm == (mark{}) && p.Photos >= p.MaxInFlight {
		p.Warm = mark{p.Seconds, p.Photos, p.Ages}
	}
}

// known reports whether enough photos are finished for a rate.
func (p *pace) known() bool { return p.Photos >= max(fewPhotos, p.MaxInFlight) }

// rate is photos an hour.
func (p *pace) rate() float64 {
	if enough := max(p.MaxInFlight, fewPhotos); p.Warm.Seconds > 0 && p.Photos-p.Warm.Photos >= enough {
		return p.since(p.Warm)
	}
	return p.since(mark{})
}

func (p *pace) since(m mark) float64 {
	photos := float64(p.Photos-m.Photos) + p.parts(p.Ages, p.InFlight) - p.parts(m.Ages, p.MaxInFlight)
	return perHour(photos, p.Seconds-m.Seconds)
}

// parts is how much of the photos in flight is done, in photos, by their ages.
func (p *pace) parts(ages float64, photos int) float64 {
	if p.Took <= 0 {
		return 0
	}
	return min(ages/(p.Took/float64(p.Answers)), float64(photos))
}

// clamp brings numbers from a damaged file into their ranges.
func (p *pace) clamp(work float64) {
	for _, n := range []*int{&p.Photos, &p.InFlight, &p.MaxInFlight, &p.Answers, &p.Warm.Photos} {
		*n = max(0, *n)
	}
	p.InFlight, p.MaxInFlight = min(p.InFlight, maxInFlight), min(p.MaxInFlight, maxInFlight)
	p.Seconds = min(max(0, p.Seconds), work)
	for _, s := range []*float64{&p.Ages, &p.Took, &p.Warm.Seconds, &p.Warm.Ages} {
		*s = max(0, *s)
	}
	if p.Answers == 0 {
		p.Took = 0
	}
	if p.Warm.Photos > p.Photos || p.Warm.Seconds > p.Seconds {
		p.Warm = mark{}
	}
}
