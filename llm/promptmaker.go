//go:build !llama_system

package llm

/*
#include "bridge.h"
*/
import "C"

import "fmt"

// promptMaker turns layouts into parts. It is safe for many goroutines.
type promptMaker struct {
	model      *textModel
	tileTokens int
	context    int // most tokens of a picture's context
}

// newPromptMaker checks that the model's vocabulary has what the prompt needs.
func newPromptMaker(m *textModel, tileTokens, context int) (*promptMaker, error) {
	for _, name := range []string{tokenStart, tokenFake, tokenEnd} {
		if !m.single(name) {
			return nil, fmt.Errorf("the text model has no token %s: it is not a SmolVLM model", name)
		}
	}
	return &promptMaker{model: m, tileTokens: tileTokens, context: context}, nil
}

// promptSuffix is the end of a prompt for a question.
func (pm *promptMaker) promptSuffix(question string) (part, error) {
	var tokens []int32
	for _, s := range promptSuffix(question) {
		tokens = append(tokens, pm.model.tokenize(s.text, s.special)...)
	}
	return pm.embed(tokens)
}

func (pm *promptMaker) embed(tokens []int32) (part, error) {
	p := part{tokens: tokens, embd: make([]float32, len(tokens)*pm.model.embd), tile: -1}
	for i, t := range tokens {
		if err := pm.model.embedding(t, p.embd[i*pm.model.embd:]); err != nil {
			return p, err
		}
	}
	return p, nil
}

// promptPrefix is what the questions about a picture share, and its length in tokens.
// A context of more tokens than allowed loses its end.
func (pm *promptMaker) promptPrefix(g Grid, context string) (parts []part, length int, err error) {
	add := func(tokens []int32) error {
		p, err := pm.embed(tokens)
		parts = append(parts, p)
		length += len(tokens)
		return err
	}
	for _, s := range promptPrefix(g) {
		if s.tile >= 0 {
			parts = append(parts, part{tile: s.tile})
			length += pm.tileTokens
		} else if err := add(pm.model.tokenize(s.text, s.special)); err != nil {
			return nil, 0, err
		}
	}
	if pm.context > 0 && context != "" {
		// Like the question it is tokenised as plain text.
		tokens := pm.model.tokenize(context, false)
		if err := add(tokens[:min(len(tokens), pm.context)]); err != nil {
			return nil, 0, err
		}
	}
	return parts, length, nil
}

// largest is the number of tokens before the question in a grid's prompt, with the
// longest context.
func (pm *promptMaker) largest(g Grid) int {
	n := pm.context + g.Tiles()*pm.tileTokens
	for _, s := range promptPrefix(g) {
		n += len(pm.model.tokenize(s.text, s.special))
	}
	return n
}

// embedding writes the input embedding of a token to out (embd values).
func (m *textModel) embedding(token int32, out []float32) error {
	if C.pd_token_embedding(m.p, C.int32_t(token), (*C.float)(&out[0])) != 0 {
		return fmt.Errorf("token %d has no embedding", token)
	}
	return nil
}
