package machine

import (
	"runtime"
	"testing"
	"time"
)

// TestCPUPercent checks that a busy loop shows in the load of all processors.
func TestCPUPercent(t *testing.T) {
	CPUPercent()
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
	}
	got := CPUPercent()
	if got < 0 && runtime.GOOS != "linux" {
		t.Skip("the load is unknown on this system")
	}
	if least := 50 / float64(runtime.NumCPU()); got < least || got > 100 {
		t.Errorf("%.1f%%, want %.1f%% to 100%%", got, least)
	}
}

func BenchmarkCPUPercent(b *testing.B) {
	for b.Loop() {
		CPUPercent()
	}
}

func BenchmarkReadSystemMemory(b *testing.B) {
	for b.Loop() {
		if _, err := ReadSystemMemory(); err != nil {
			b.Fatal(err)
		}
	}
}
