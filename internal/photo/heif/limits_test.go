package heif

import (
	"encoding/binary"
	"syscall"
	"testing"
	"time"
)

// TestLongChainOfParts checks that a long chain of pictures, each composed of the
// next, takes linear time.
func TestLongChainOfParts(t *testing.T) {
	var refs []byte
	for i := range maxItems {
		ref := append([]byte{0, 0, 0, 14}, "dimg"...)
		ref = binary.BigEndian.AppendUint16(ref, uint16(i))
		ref = append(ref, 0, 1)
		refs = append(refs, binary.BigEndian.AppendUint16(ref, uint16(i+1))...)
	}
	f := parse(t, append(box4("ftyp"), full("meta", 0, full("iref", 0, refs))...))
	start := cpuTime(t)
	f.Parts()
	if d := cpuTime(t) - start; d > 3*time.Second {
		t.Errorf("it took %v of CPU", d)
	}
}

// cpuTime is what the process has used so far. Unlike the clock it does not depend on
// other programs.
func cpuTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
