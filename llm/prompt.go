package llm

import (
	"fmt"
	"strings"
)

// The words of SmolVLM's prompt that are single tokens. The names of tiles
// are, too, in all of the family but the first, SmolVLM-Instruct, which was
// trained with them as plain text.
const (
	tokenStart  = "<|im_start|>"
	tokenFake   = "<fake_token_around_image>"
	tokenGlobal = "<global-img>"
	tokenEnd    = "<end_of_utterance>"
)

// DefaultPrompt asks for a plain description.
const DefaultPrompt = "Describe this image in detail."

func tokenTile(row, col int) string { return fmt.Sprintf("<row_%d_col_%d>", row, col) }

// segment is a stretch of the prompt: text, or the embeddings of one tile.
type segment struct {
	text    string
	special bool // special tokens in the text are meant as such
	tile    int  // index of the tile; -1 for text
}

// layout is the prompt of one photo in order. Text between two tiles is one
// segment, because the tokenizer merges across it ("\n\n" is one token).
func layout(g Grid, question string) []segment {
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
	// The person's words are words: "<|im_start|>" in them is not a token.
	out = append(out, segment{text: question, tile: -1})
	text(tokenEnd + "\nAssistant:")
	return out
}

// part is a piece of a prompt ready for prefill: the embeddings of text, or
// the place of a tile.
type part struct {
	embd []float32 // text: a row for each token
	tile int       // index of the tile; -1 for text
}

// promptMaker turns layouts into parts, with the fixed question tokenized once.
// It is safe for many goroutines.
type promptMaker struct {
	model      *textModel
	tileTokens int
	question   string
}

// newPromptMaker checks that the model's vocabulary has what the prompt needs.
func newPromptMaker(m *textModel, tileTokens int, question string) (*promptMaker, error) {
	for _, name := range []string{tokenStart, tokenFake, tokenEnd} {
		if n := len(m.tokenize(name, true)); n != 1 {
			return nil, fmt.Errorf("the text model has no token %s: it is not a SmolVLM model", name)
		}
	}
	return &promptMaker{model: m, tileTokens: tileTokens, question: question}, nil
}

// tokens is the prompt of a grid: token ids, with -1 for every place that an
// image embedding takes.
func (pm *promptMaker) tokens(g Grid) []int32 {
	var out []int32
	for _, s := range layout(g, pm.question) {
		if s.tile < 0 {
			out = append(out, pm.model.tokenize(s.text, s.special)...)
			continue
		}
		for range pm.tileTokens {
			out = append(out, -1)
		}
	}
	return out
}

// length is the number of tokens of a grid's prompt.
func (pm *promptMaker) length(g Grid) int { return len(pm.tokens(g)) }

// parts is the prompt of a grid with its text embedded.
func (pm *promptMaker) parts(g Grid) ([]part, error) {
	var out []part
	for _, s := range layout(g, pm.question) {
		if s.tile >= 0 {
			out = append(out, part{tile: s.tile})
			continue
		}
		tokens := pm.model.tokenize(s.text, s.special)
		p := part{embd: make([]float32, len(tokens)*pm.model.embd), tile: -1}
		for i, t := range tokens {
			if err := pm.model.embedding(t, p.embd[i*pm.model.embd:]); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}
