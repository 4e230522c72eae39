package main

import (
	"fmt"
	"strings"

	"github.com/ollama/ollama/fs/ggml"
)

// More token types as GGUF numbers them.
const (
	unknownToken int32 = 2
	byteToken    int32 = 6
)

// sentencePieces makes a vocabulary of exactly n tokens as Gemma has it: pieces that grow letter by letter, spaces
// written as ▁, and a token for each byte that has no other.
func sentencePieces(n int, end string, specials []string) *vocabulary {
	v := &vocabulary{ids: map[string]int{}, spoken: map[int]bool{}, end: end}
	v.add("<pad>", controlToken)
	v.add("<eos>", controlToken)
	v.add("<bos>", controlToken)
	v.add("<unk>", unknownToken)
	for _, s := range specials {
		v.add(s, controlToken)
	}
	for b := range 256 {
		v.add(fmt.Sprintf("<0x%02X>", b), byteToken)
	}
	for _, w := range []string{"\n", "\n\n", "user", "model", "Describe"} {
		v.addPiece(w, n)
	}
	for _, w := range strings.Fields(commonWords) {
		v.addPiece("▁"+w, n)
	}
	for i := 0; len(v.tokens) < n; i++ {
		if w := "▁" + invented(i); !v.has(w) {
			v.spoken[v.add(w, normalToken)] = true
		}
	}
	return v
}

// addPiece adds a word and every beginning of it, or nothing where it would not fit into max. Its letters, too: two
// pieces become one only where both are there.
func (v *vocabulary) addPiece(word string, max int) {
	letters := []rune(word)
	if len(v.tokens)+2*len(letters) > max {
		return
	}
	for i := range letters {
		for _, piece := range []string{string(letters[i]), string(letters[:i+1])} {
			if !v.has(piece) {
				v.add(piece, normalToken)
			}
		}
	}
	if strings.HasPrefix(word, "▁") {
		v.spoken[v.ids[word]] = true
	}
}

func (v *vocabulary) sentencePieceKV() ggml.KV {
	scores := make([]float32, len(v.tokens))
	for i := range scores {
		scores[i] = -float32(i) // those added first are joined first
	}
	return ggml.KV{
		"tokenizer.ggml.model":            "llama",
		"tokenizer.ggml.pre":              "default",
		"tokenizer.ggml.tokens":           v.tokens,
		"tokenizer.ggml.token_type":       v.types,
		"tokenizer.ggml.scores":           scores,
		"tokenizer.ggml.bos_token_id":     v.id("<bos>"),
		"tokenizer.ggml.eos_token_id":     v.id("<eos>"),
		"tokenizer.ggml.padding_token_id": v.id("<pad>"),
		"tokenizer.ggml.unknown_token_id": v.id("<unk>"),
		"tokenizer.ggml.add_bos_token":    true,
		"tokenizer.ggml.add_space_prefix": false,
		"tokenizer.chat_template": `{{ bos_token }}{% for message in messages %}<start_of_turn>{{ message.role }}{{ '\n' }}` +
			`{{ message.content | trim }}<end_of_turn>{{ '\n' }}{% endfor %}{% if add_generation_prompt %}<start_of_turn>model{{ '\n' }}{% endif %}`,
	}
}
