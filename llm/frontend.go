package llm

import (
	"context"
	"fmt"
	"math"
)

// frontend turns pictures into the embeddings and tokens that a text model reads.
// tiledFrontend does it for SmolVLM as its reference does, mtmdFrontend for other
// families by llama.cpp's own multimodal library. The engine and its slots know
// only this interface. close and the methods without a note belong to the
// engine's goroutine.
type frontend interface {
	// plan lays out the part of a picture's prompts that they share, at a detail.
	// It is safe for concurrent use.
	plan(p Picture, d Detail) (picturePrompt, error)
	// promptSuffix is the end of a prompt: the question and the start of the answer.
	promptSuffix(question string) (part, error)
	// maxTokens is the length of the longest picturePrompt at the engine's detail,
	// the picture's context included.
	maxTokens() int
	// longestEdge is the longest edge in pixels that any picture is brought to at
	// the engine's detail. It is safe for concurrent use.
	longestEdge() int
	// shownAt is the longest edge in pixels that a width×height picture is brought
	// to, and the number of tiles it becomes. It is safe for concurrent use.
	shownAt(width, height int, d Detail) (longest, tiles int)
	// minBatch is the number of rows that a step must be able to hold; 0: any.
	minBatch() int
	// groupsPrompts tells whether the prompts of several pictures may be prefilled
	// in one step.
	groupsPrompts() bool
	// sameTiles tells whether the encoder sees tiles of one size only, so that the
	// first one shows how much memory it needs.
	sameTiles() bool
	// memory is what the encoder holds, in bytes.
	memory() (weights, compute uint64)
	close()
}

// picturePrompt is what all prompts about one picture begin with: the picture, the
// text before it and the picture's context. Its methods are called in this order;
// all but cut belong to the engine's goroutine.
type picturePrompt interface {
	// tokens is its length, text and picture. It is safe for concurrent use.
	tokens() int
	// cut resamples the picture to what the encoder takes and returns the number of
	// tiles. It runs in the caller's goroutine.
	cut() (tiles int)
	// encode turns the tiles into embeddings.
	encode(ctx context.Context) error
	// start decodes, into an empty sequence, what cannot share a step with the
	// question, and returns the number of rows decoded.
	start(c *textContext, sequence int) (rows int, err error)
	// end is the position in the KV cache that a further question is decoded from,
	// once start has returned.
	end() int
	// addRows adds to a step what a sequence that holds pos positions lacks of the
	// prompt, with the sampler at its last row. The last rows added are padding,
	// which is to be removed from the KV cache after the step.
	addRows(b *entries, sequence, pos int, suffix part, s *sampler) (padding int)
	// release drops the embeddings: no further question begins at position 0.
	release()
}

// finite checks embeddings. A broken driver yields NaN, and the text model would
// answer all the same.
func finite(embd []float32) error {
	for _, x := range embd {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return fmt.Errorf("%w: the encoder returned values that are not finite; the compute device or its driver is faulty", ErrBroken)
		}
	}
	return nil
}

// fewRows is the number of rows from which a BLAS computes a product.
const fewRows = 32
