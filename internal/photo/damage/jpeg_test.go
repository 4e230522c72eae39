package damage

import (
	"slices"
	"testing"
)

// scanOf returns a JPEG of one scan with zeros in the middle of its coded data,
// followed by left further bytes and end.
func scanOf(flat bool, zeros, left int, end string) []byte {
	symbol := byte(1) // a value of one bit: what the standard tables have first
	if flat {
		symbol = 0 // the end of a block
	}
	table := func(class, symbol byte) []byte {
		return append([]byte{0xff, dht, 0, 20, class << 4, 1}, append(make([]byte, 15), symbol)...)
	}
	data := slices.Concat([]byte{0xff, 0xd8}, table(0, 0), table(1, symbol), []byte{0xff, sos, 0, 8, 1, 1, 0, 0, 63, 0})
	data = append(data, "coded"...)
	data = append(data, make([]byte, zeros)...)
	for range left {
		data = append(data, 'x')
	}
	return append(data, end...)
}

func TestCheckWarnings(t *testing.T) {
	const mark = "\xff\xd9"
	for _, c := range []struct {
		name     string
		data     []byte
		skipped  int // before the end
		corrupt  bool
		last     bool
		damaged  bool
		complete bool
	}{
		{name: "good", data: scanOf(false, 0, 9, mark)},
		{name: "corrupted", data: scanOf(false, 0, 9, mark), corrupt: true, damaged: true},
		{name: "corrupted in the last row", data: scanOf(false, 0, 9, mark), corrupt: true, last: true},
		{name: "few zeros", data: scanOf(false, 60, 9, mark)},
		{name: "zeros that no picture has", data: scanOf(false, 70, 9, mark), damaged: true},
		{name: "zeros passed over", data: scanOf(false, 500, 9, mark), skipped: 509},
		{name: "zeros used and passed over", data: scanOf(false, 500, 9, mark), skipped: 309, damaged: true},
		{name: "flat", data: scanOf(true, 5000, 9, mark)},
		{name: "flat, padding", data: scanOf(true, 5000, 0, mark), skipped: 3000},
		{name: "flat, stale bytes", data: scanOf(true, 5000, 500, mark), skipped: 500},
		{name: "flat, much left", data: scanOf(true, 4096, 3000, mark), skipped: 3000, damaged: true},
		{name: "flat, zeros at the end", data: scanOf(true, 5000, 0, ""), damaged: true, complete: true},
		{name: "no end mark", data: scanOf(false, 0, 9, ""), complete: true},
		{name: "no end mark, corrupted", data: scanOf(false, 0, 9, ""), corrupt: true, last: true},
	} {
		j := ScanJPEG(c.data)
		var warnings []Warning
		if c.corrupt {
			warnings = append(warnings, Warning{Kind: Corrupted, Text: "corrupted", At: int64(len(c.data)), LastRow: c.last})
		}
		if c.skipped > 0 {
			warnings = append(warnings, Warning{Kind: Skipped, At: int64(len(c.data) - 2), Skipped: int64(c.skipped)})
		}
		if err := j.CheckWarnings(warnings); (err != nil) != c.damaged {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := j.LacksOnlyEnd(warnings); got != c.complete {
			t.Errorf("%s: complete %v", c.name, got)
		}
	}
}
