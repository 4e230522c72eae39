package photo

// Written is what persons have written about a photo with other programs.
type Written struct {
	Caption  string
	Keywords []string
	People   []string // names of those in the picture
	Place    PlaceNames
}

// PlaceNames name where a photo was taken, or what it shows.
type PlaceNames struct {
	Location string // a part of the city, or a sight
	City     string
	State    string // or province
	Country  string
}

// longestPlaceName limits each of [PlaceNames], in bytes.
const longestPlaceName = 200

// Plain returns the names as short lines of valid UTF-8.
func (p PlaceNames) Plain() PlaceNames {
	for _, s := range []*string{&p.Location, &p.City, &p.State, &p.Country} {
		*s = shortened(plain(*s), longestPlaceName)
	}
	return p
}

// List returns the names that there are, the smallest place first, each once.
func (p PlaceNames) List() (names []string) {
	for _, s := range []string{p.Location, p.City, p.State, p.Country} {
		if s != "" && (len(names) == 0 || names[len(names)-1] != s) {
			names = append(names, s)
		}
	}
	return names
}
