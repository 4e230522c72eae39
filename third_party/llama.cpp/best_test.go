package llamacpp

import (
	"runtime"
	"testing"
	"time"
)

// Any CPU of these years multiplies faster than 10⁸ FLOP a second and none
// faster than 10¹⁴; the same for memory.
func TestLimits(t *testing.T) {
	flops := Sgemm(256, 192, 384, 1, 10*time.Millisecond)
	if hasBLAS := runtime.GOOS == "linux" && !System || runtime.GOOS == "darwin"; hasBLAS != (flops > 1e8) || flops > 1e14 {
		t.Errorf("sgemm: %.3g FLOP a second", flops)
	}
	if rate := ReadMemory(2, 10*time.Millisecond); rate < 1e8 || rate > 1e13 {
		t.Errorf("memory: %.3g bytes a second", rate)
	}
}
