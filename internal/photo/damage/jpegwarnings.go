package damage

// Warning is a warning of the JPEG decoder.
type Warning struct {
	Kind WarningKind
	Text string
	At   int64 // the offset in the data, accurate to a few bytes

	// Skipped is how many bytes before At the decoder skipped to find a mark.
	Skipped int64

	// LastRow reports whether only the last row of blocks of the picture is affected.
	LastRow bool
}

// WarningKind is what a warning means for the picture.
type WarningKind int

// The kinds of warning.
const (
	Harmless  WarningKind = iota // no pixel is affected
	Skipped                      // bytes were skipped
	Corrupted                    // the coded data are invalid
	Ended                        // the data end without an end mark
)

// CheckWarnings returns the damage of a JPEG that gave these warnings when it was
// decoded to its end, or nil. Only what affects pixels is damage.
//
// Skipped bytes are common and harmless, since cameras and programs pad what they
// write. The same holds for zeros in the coded data that the decoder skipped.
func (j *JPEG) CheckWarnings(warnings []Warning) error {
	for _, w := range warnings {
		if w.Kind == Corrupted && !w.LastRow {
			return Error(w.Text)
		}
	}
	if j.progressive && j.scanMissing(warnings) {
		return errPartMissing
	}
	for _, z := range j.zeros {
		used := z.len()
		for _, w := range warnings {
			used -= max(0, min(z.end, w.At)-max(z.start, w.At-w.Skipped))
		}
		if used >= jpegZeros && j.replaced(z, used, warnings) {
			return errZeros
		}
	}
	return nil
}

// maxPadding is more than the bytes of padding that cameras write before a mark.
const maxPadding = 1024

// offsetTolerance is how far Warning.At may be from the exact offset, in bytes.
const offsetTolerance = 8

// scanMissing reports whether so many bytes were skipped that a progressive JPEG
// lacks a scan. It then decodes with less detail.
func (j *JPEG) scanMissing(warnings []Warning) bool {
	for _, w := range warnings {
		last := w.At >= j.end-offsetTolerance // zeros before the end mark may be padding
		if w.Skipped >= maxPadding && !(last && j.HasEnd && j.onlyZeros(w.At-w.Skipped, w.At)) {
			return true
		}
	}
	return false
}

// replaced reports whether zeros took the place of other data. used is how many of
// them were decoded as part of the picture. Zeros that may code flat blocks count
// only if the file ends in them without an end mark, or if so much data is left
// over after the picture that the zeros must have replaced other blocks: flat
// blocks take the fewest bytes.
func (j *JPEG) replaced(z zeroCode, used int64, warnings []Warning) bool {
	if !z.mayBeFlat || !j.HasEnd && z.end == int64(len(j.data)) {
		return true
	}
	for _, w := range warnings {
		if w.At <= z.start {
			continue
		}
		if w.Kind == Corrupted || w.Skipped >= maxPadding && w.Skipped >= used/4 && !j.onlyZeros(w.At-w.Skipped, w.At) {
			return true
		}
	}
	return false
}

// onlyZeros reports whether all bytes between two offsets are zeros, except for
// offsetTolerance bytes at both ends.
func (j *JPEG) onlyZeros(from, to int64) bool {
	from, to = max(from+offsetTolerance, 0), min(to-offsetTolerance, int64(len(j.data)))
	return from >= to || leadingZeros(j.data[from:to]) == int(to-from)
}

// LacksOnlyEnd reports whether a JPEG that gave these warnings is complete except
// for its end mark.
func (j *JPEG) LacksOnlyEnd(warnings []Warning) bool {
	if j.HasEnd || j.arithmetic { // an arithmetic decoder continues past the data without a warning
		return false
	}
	for _, w := range warnings {
		if w.Kind == Corrupted {
			return false
		}
	}
	return true
}
