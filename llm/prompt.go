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
