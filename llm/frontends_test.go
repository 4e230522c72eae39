//go:build !llama_system

package llm

// tiled is SmolVLM's front end of an engine.
func tiled(e *Engine) *tiledFrontend { return e.front.(*tiledFrontend) }

// throughMTMD is the front end of an engine of another family.
func throughMTMD(e *Engine) *mtmdFrontend { return e.front.(*mtmdFrontend) }
