package main

import (
	"fmt"
	"strings"
)

// Token types as GGUF numbers them.
const (
	normalToken  int32 = 1
	controlToken int32 = 3
)

const endOfUtterance = "<end_of_utterance>"

// commonWords are the words of answers, each with a space before it. A small vocabulary has only the first ones.
const commonWords = `the a of and in is on with this image photo to it at from by an as are there that has detail
small large red green blue white black old young man woman people child dog cat bird house street tree water sky
light dark near under over left right front back two three some many one sits stands looks walks holds shows
table chair car boat road bridge window door wall floor field grass river hill beach snow sand cloud sun night day
hand face eyes hair hat coat blouse bottle cup plate bread fruit flower garden city train ship horse sheep cow
yellow brown grey orange bright quiet empty crowded wooden round square tall narrow wide distant open closed`

// vocabulary is a byte-pair tokenizer: the special tokens, the 256 bytes, and words built up letter by letter.
type vocabulary struct {
	tokens []string
	types  []int32
	merges []string

	ids    map[string]int
	spoken map[int]bool // whole words, which answers consist of
	end    string       // the token that ends an answer
}

// newVocabulary makes SmolVLM's, of exactly n tokens.
func newVocabulary(n int) *vocabulary {
	specials := []string{"<|endoftext|>", "<|im_start|>", "<|im_end|>",
		"<fake_token_around_image>", "<image>", "<global-img>", endOfUtterance}
	for row := 1; row <= 6; row++ {
		for col := 1; col <= 6; col++ {
			specials = append(specials, fmt.Sprintf("<row_%d_col_%d>", row, col))
		}
	}
	return bytePairs(n, endOfUtterance, specials)
}

// bytePairs makes one of exactly n tokens with the given special ones.
func bytePairs(n int, end string, specials []string) *vocabulary {
	v := &vocabulary{ids: map[string]int{}, spoken: map[int]bool{}, end: end}
	for _, s := range specials {
		v.add(s, controlToken)
	}
	for b := range 256 {
		v.add(string(byteRune(byte(b))), normalToken)
	}
	// The words of the prompt. Merges begin at a capital letter, a space or the end of a line, never inside a word, so that
	// they do not change how other words are tokenised.
	for _, w := range []string{"User", "Assistant", "Describe", "\n\n"} {
		v.addWord(w, n)
	}
	for _, w := range strings.Fields(commonWords) {
		v.addWord(" "+w, n)
	}
	for i := 0; len(v.tokens) < n; i++ {
		if w := byteString(" " + invented(i)); !v.has(w) {
			v.spoken[v.add(w, normalToken)] = true
		}
	}
	return v
}

func (v *vocabulary) has(token string) bool { _, ok := v.ids[token]; return ok }

// id panics if there is no such token: callers name it in the source.
func (v *vocabulary) id(token string) uint32 {
	i, ok := v.ids[token]
	if !ok {
		panic("no token " + token)
	}
	return uint32(i)
}

func (v *vocabulary) add(token string, kind int32) int {
	v.ids[token] = len(v.tokens)
	v.tokens = append(v.tokens, token)
	v.types = append(v.types, kind)
	return len(v.tokens) - 1
}

// addWord adds a word, all its prefixes and the merges between them, or nothing if the vocabulary would exceed max.
func (v *vocabulary) addWord(word string, max int) {
	letters := []rune(byteString(word))
	if len(v.tokens)+len(letters) > max {
		return
	}
	for i := 1; i < len(letters); i++ {
		if longer := string(letters[:i+1]); !v.has(longer) {
			v.add(longer, normalToken)
			v.merges = append(v.merges, string(letters[:i])+" "+string(letters[i]))
		}
	}
	v.spoken[v.ids[string(letters)]] = strings.HasPrefix(word, " ")
}

// outputScale scales a token's row of the output matrix, so that mostly words and now and then the end token are likely.
func (v *vocabulary) outputScale(token int) float64 {
	switch {
	case v.spoken[token]:
		return 1
	case v.tokens[token] == v.end:
		return 0.9
	}
	return 0.05
}

// invented returns a pronounceable word of three syllables, a different one for every i below 65³.
func invented(i int) string {
	const consonants, vowels = "bdfgklmnprstv", "aeiou"
	const syllables = len(consonants) * len(vowels)
	i = i * 104729 % (syllables * syllables * syllables) // a prime that shuffles them
	var s []byte
	for range 3 {
		s = append(s, consonants[i%syllables/len(vowels)], vowels[i%len(vowels)])
		i /= syllables
	}
	return string(s)
}

// byteRune is the printable rune that stands for a byte in a GPT-2 vocabulary.
func byteRune(b byte) rune { return byteRunes[b] }

// byteString writes a text in such runes.
func byteString(text string) string {
	var s strings.Builder
	for _, b := range []byte(text) {
		s.WriteRune(byteRune(b))
	}
	return s.String()
}

var byteRunes = func() (runes [256]rune) {
	spare := rune(256)
	for b := range runes {
		if '!' <= b && b <= '~' || 0xa1 <= b && b <= 0xac || 0xae <= b {
			runes[b] = rune(b)
		} else {
			runes[b], spare = spare, spare+1
		}
	}
	return runes
}()
