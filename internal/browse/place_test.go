package browse

import (
	"testing"

	"photodesc/tracker"
)

func TestPlaceText(t *testing.T) {
	latitude, longitude := 48.8582, -2.2945
	for want, p := range map[string]*tracker.PhotoPlace{
		"48.85820° N, 2.29450° W":               {Latitude: &latitude, Longitude: &longitude},
		"Rome, Italy":                           {City: "Rome", Country: "Italy"},
		"Rome, Italy (48.85820° N, 2.29450° W)": {City: "Rome", Country: "Italy", Latitude: &latitude, Longitude: &longitude},
		"Colosseum, Rome, Lazio, Italy":         {Location: "Colosseum", City: "Rome", State: "Lazio", Country: "Italy"},
		"Berlin, Germany":                       {City: "Berlin", State: "Berlin", Country: "Germany"},
	} {
		if got := placeText(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
