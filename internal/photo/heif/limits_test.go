package heif

import (
	"encoding/binary"
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
	start := time.Now()
	f.Parts()
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("it took %v", d)
	}
}
