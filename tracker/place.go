package tracker

import "strings"

// PhotoPlace is where a photo was taken, as far as its file says it.
type PhotoPlace struct {
	Latitude  *float64 `json:"latitude,omitempty"`  // degrees; north is positive
	Longitude *float64 `json:"longitude,omitempty"` // degrees; east is positive
	Location  string   `json:"location,omitempty"`  // a part of the city, or a sight
	City      string   `json:"city,omitempty"`      // or town, village
	State     string   `json:"state,omitempty"`     // or province
	Country   string   `json:"country,omitempty"`   // as the file names it
}

// Point returns where the camera was in degrees; ok is false where that is not known.
func (p *PhotoPlace) Point() (latitude, longitude float64, ok bool) {
	if p == nil || p.Latitude == nil || p.Longitude == nil {
		return 0, 0, false
	}
	return *p.Latitude, *p.Longitude, true
}

// Names returns the names of the place as one text, the smallest first, "" where there are none.
func (p *PhotoPlace) Names() string {
	if p == nil {
		return ""
	}
	var names []string
	for _, s := range []string{p.Location, p.City, p.State, p.Country} {
		if s != "" && (len(names) == 0 || names[len(names)-1] != s) {
			names = append(names, s)
		}
	}
	return strings.Join(names, ", ")
}
