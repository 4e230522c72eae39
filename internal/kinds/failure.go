package kinds

// Failure says why a photo has no description. The values are written to the
// outputs and are part of their format.
type Failure string

const (
	// Unreadable means that the file cannot be opened, does not exist, is not a regular
	// file or is empty, or that its data is truncated or damaged.
	Unreadable Failure = "unreadable"
	// Unsupported means that nothing here can decode this format, or the decoder is blocked.
	Unsupported Failure = "unsupported"
	// TooLarge means that it has more pixels, or decoding it needs more memory, than is allowed.
	TooLarge Failure = "too_large"
	// Timeout means that it took longer than allowed, twice.
	Timeout Failure = "timeout"
	// Crash means that a worker crashed while it was alone, twice.
	Crash Failure = "crash"
	// Memory means that memory ran out three times while it was alone.
	Memory Failure = "memory"
	// Model means that the model gave no usable answer, or the worker's result was invalid.
	Model Failure = "model"
)

// Failures lists the kinds of failure in the order in which they are reported.
var Failures = []Failure{Unreadable, Unsupported, TooLarge, Timeout, Crash, Memory, Model}

// Hint returns what a person can do about photos that failed this way.
func (k Failure) Hint() string {
	switch k {
	case Unreadable:
		return "the file is damaged, empty or may not be read: restore it from a backup or mend its permissions, then use --retry-failed"
	case Unsupported:
		return "no decoder here reads this format: convert the photo to JPEG; what is no picture, restore from a backup or leave out"
	case TooLarge:
		return "more pixels or bytes than are decoded: make a smaller copy, or give more --memory"
	case Timeout:
		return "no answer in time, twice: raise --timeout, or spend less on each photo with --detail low"
	case Crash:
		return "a library crashed over it, twice: the log has its last lines; convert the photo to JPEG and use --retry-failed"
	case Memory:
		return "memory ran out over this photo alone: close other programs, give more --memory, or take a smaller model"
	case Model:
		return "the model gave no answer to keep: try --retry-failed, or another model"
	}
	return "the log says more"
}
