package damage

// Warning is one that the JPEG decoder gave.
type Warning struct {
	Kind WarningKind
	Text string
	At   int64 // where in the data, to a few bytes

	// Skipped is how many bytes before At were passed over to find a mark.
	Skipped int64

	// LastRow: only the last row of blocks of the picture is concerned.
	LastRow bool
}

// WarningKind says what a warning means for the picture.
type WarningKind int

// The kinds of warning.
const (
	Harmless  WarningKind = iota // the pixels are all there
	Skipped                      // bytes were passed over
	Corrupted                    // the coded data are not what they should be
	Ended                        // the data end without an end mark
)

// Judge returns what is wrong with a JPEG that gave these warnings when it was
// decoded to its end, nil if nothing is: damage is said only where pixels are.
//
// Bytes that are passed over are common and harmless: cameras and programs pad
// what they write. So are zeros in the coded data that are passed over.
func (j *JPEG) Judge(warnings []Warning) error {
	for _, w := range warnings {
		if w.Kind == Corrupted && !w.LastRow {
			return Error(w.Text)
		}
	}
	if j.progressive && j.scanLost(warnings) {
		return lostPart
	}
	for _, z := range j.zeros {
		used := z.len()
		for _, w := range warnings {
			used -= max(0, min(z.end, w.At)-max(z.start, w.At-w.Skipped))
		}
		if used >= jpegZeros && j.lost(z, used, warnings) {
			return lostZeros
		}
	}
	return nil
}

// padding is more bytes than cameras leave before a mark.
const padding = 1024

// scanLost reports whether so much was passed over that a progressive JPEG lacks
// a scan: the picture is there, in less detail.
func (j *JPEG) scanLost(warnings []Warning) bool {
	const few = 8
	for _, w := range warnings {
		last := w.At >= j.end-few // before the end mark it may be padding
		if w.Skipped >= padding && !(last && j.Whole && j.onlyZeros(w.At-w.Skipped, w.At)) {
			return true
		}
	}
	return false
}

// lost reports whether zeros of which so many were used as a part of the picture
// stand for something else. Where they may code flat blocks, it takes more to
// tell: a file that has no end but zeros, or so many data left over when the
// picture was complete that the zeros have taken the place of other blocks. Flat
// ones take the least bytes.
func (j *JPEG) lost(z zeroCode, used int64, warnings []Warning) bool {
	if !z.flat || !j.Whole && z.end == int64(len(j.data)) {
		return true
	}
	for _, w := range warnings {
		if w.At <= z.start {
			continue
		}
		if w.Kind == Corrupted || w.Skipped >= padding && w.Skipped >= used/4 && !j.onlyZeros(w.At-w.Skipped, w.At) {
			return true
		}
	}
	return false
}

// onlyZeros reports whether there is nothing else from one place to another, to
// a few bytes at both ends.
func (j *JPEG) onlyZeros(from, to int64) bool {
	const few = 8
	from, to = max(from+few, 0), min(to-few, int64(len(j.data)))
	return from >= to || leading(j.data[from:to]) == int(to-from)
}

// Complete reports whether a JPEG that gave these warnings lacks nothing but
// its end mark.
func (j *JPEG) Complete(warnings []Warning) bool {
	if j.Whole || j.arithmetic { // arithmetic coding goes on for ever without a warning
		return false
	}
	for _, w := range warnings {
		if w.Kind == Corrupted {
			return false
		}
	}
	return true
}
