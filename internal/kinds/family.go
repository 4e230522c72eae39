package kinds

// The families of vision models that photodesc knows, by what llama.cpp calls
// their connector of vision and text (clip.projector_type in a vision file).
const (
	SmolVLM  = "idefics3"
	Qwen2VL  = "qwen2vl_merger"
	Qwen25VL = "qwen2.5vl_merger"
	Gemma3   = "gemma3"
	InternVL = "internvl"
)
