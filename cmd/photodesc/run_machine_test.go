package main

import "testing"

func TestCoresText(t *testing.T) {
	for _, test := range []struct {
		cores, allowed int
		want           string
	}{
		{1, 1, "1 core"},
		{2, 2, "2 cores"},
		{16, 2, "16 cores, of which 2 may be used"},
		{2, 4, "2 cores"}, // GOMAXPROCS=4
	} {
		if got := coresText("core", test.cores, test.allowed); got != test.want {
			t.Errorf("%d, %d: %q, want %q", test.cores, test.allowed, got, test.want)
		}
	}
}
