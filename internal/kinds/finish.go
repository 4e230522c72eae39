package kinds

// Finish says why an answer ends where it does. The values are written to the
// outputs and are part of their format.
type Finish string

// The reasons.
const (
	FinishStop   Finish = "stop"   // the model ended it
	FinishLength Finish = "length" // it reached the token limit
	FinishRepeat Finish = "repeat" // the text began to loop; the loop is cut off
)
