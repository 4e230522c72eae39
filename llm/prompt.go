package llm

import (
	"fmt"
	"strings"
)

// Special tokens of SmolVLM's prompt. The names of tiles are also special tokens,
// except in SmolVLM-Instruct, which was trained with them as plain text.
const (
	tokenStart  = "<|im_start|>"
	tokenFake   = "<fake_token_around_image>"
	tokenGlobal = "<global-img>"
	tokenEnd    = "<end_of_utterance>"
)

// DefaultPrompt is asked where Options.Prompts is empty.
const DefaultPrompt = "Describe this image in detail."

func tokenTile(row, col int) string { return fmt.Sprintf("<row_%d_col_%d>", row, col) }

// segment is a stretch of the prompt: text, or the embeddings of one tile.
type segment struct {
	text    string
	special bool // special tokens in the text are meant as such
	tile    int  // index of the tile; -1 for text
}

// promptPrefix is the part of a photo's prompt that its questions share: the
// picture. Text between two tiles is one segment, because the tokenizer merges
// across it ("\n\n" is one token).
func promptPrefix(g Grid) []segment {
	var out []segment
	text := func(s string) { out = append(out, segment{text: s, special: true, tile: -1}) }
	tile := func(i int) { out = append(out, segment{tile: i}) }

	var b strings.Builder
	b.WriteString(tokenStart + "User:")
	for r := range g.Rows {
		for c := range g.Cols {
			b.WriteString(tokenFake + tokenTile(r+1, c+1))
			text(b.String())
			b.Reset()
			tile(r*g.Cols + c)
		}
		b.WriteString("\n")
	}
	if g.Rows > 0 {
		b.WriteString("\n")
	}
	b.WriteString(tokenFake + tokenGlobal)
	text(b.String())
	tile(g.Tiles() - 1)
	text(tokenFake)
	return out
}

// promptSuffix is the rest of a prompt: the question and the start of the answer. The
// question is tokenised as plain text: "<|im_start|>" in it is not a token.
func promptSuffix(question string) []segment {
	return []segment{
		{text: question, tile: -1},
		{text: tokenEnd + "\nAssistant:", special: true, tile: -1},
	}
}

// part is a piece of a prompt ready for prefill: text, or the place of a tile.
type part struct {
	tokens []int32   // text
	embd   []float32 // text: a row for each token
	tile   int       // index of the tile; -1 for text
}

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
