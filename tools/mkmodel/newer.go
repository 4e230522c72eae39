package main

import (
	"fmt"

	"github.com/ollama/ollama/fs/ggml"
)

// newer are tiny models of families that the linked llama.cpp cannot load and newer ones can. Programs that link the
// system's llama.cpp are tested with them.
var newer = map[string]func(name string, matrix ggml.FileType, seed uint64) pair{
	"tiny-phi4": tinyPhi4,
}

// tinyPhi4 has Phi-4's vision file, which takes pictures of any size and leaves its last layer out. The text model is
// Qwen2's: a vision file does not know the text model.
func tinyPhi4(name string, matrix ggml.FileType, seed uint64) pair {
	const layers, visionLayers, image, patch = 2, 2, 112, 14
	words := chatMLWords()
	text, vision := builder{matrix: matrix, seed: seed}, builder{matrix: matrix, seed: seed}
	text.qwen2(layers, words)

	vision.patches("v.patch_embd.weight", patch)
	vision.bias("v.patch_embd.bias", visionHidden)
	vision.add("v.position_embd.weight", ggml.TensorTypeF32, 0.1, visionHidden, (image/patch)*(image/patch))
	for i := range visionLayers {
		vision.siglipLayer(fmt.Sprintf("v.blk.%d.", i))
	}
	vision.linear("mm.0", gain(visionHidden), visionHidden, otherHidden)
	vision.linear("mm.2", embeddingDeviation*gain(otherHidden), otherHidden, otherHidden)
	return pair{
		textKV: with(otherText(name, "qwen2", layers, matrix), words.bytePairKV()),
		visionKV: with(otherVision(name, "phi4", image, patch, visionLayers, matrix), ggml.KV{
			"clip.use_gelu":                true,
			"clip.vision.image_min_pixels": uint32(56 * 56),
			"clip.vision.image_max_pixels": uint32(1344 * 1344),
		}),
		text: text.tensors, vision: vision.tensors,
	}
}
