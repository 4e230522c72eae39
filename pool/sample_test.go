package pool

import (
	"testing"

	"photodesc/internal/machine"
)

func TestMachine(t *testing.T) {
	n, where, err := machine.TotalMemory()
	if err != nil || n < 64<<20 || where == "" {
		t.Errorf("%d bytes of %q: %v", n, where, err)
	}
	s := samplers{}.withDefaults().take(sampleRequest{pids: []int{1 << 30}, heat: true})
	if !s.hasSys || s.system.UsedPercent <= 0 || s.system.UsedPercent > 100 || len(s.workers) != 0 {
		t.Errorf("%+v", s)
	}
}

func TestWithoutMapped(t *testing.T) {
	for _, test := range []struct{ says, want uint64 }{{1000, 400}, {600, 0}, {100, 0}} {
		n, err := withoutMapped(600, func(int) (uint64, error) { return test.says, nil })(1)
		if n != test.want || err != nil {
			t.Errorf("%d of which 600 mapped: %d, %v", test.says, n, err)
		}
	}
}
