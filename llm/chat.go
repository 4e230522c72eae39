package llm

/*
#include <stdlib.h>
#include "llama.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"photodesc/internal/families"
)

// What stands for the picture and the question while a chat template is applied.
const (
	pictureMark  = "<__media__>"
	questionMark = "<__question__>"
)

// chat is what a chat template puts around a picture and a question.
type chat struct {
	before, between, after string
}

// newChat applies the model's own template to a turn of picture, separator and
// question, after a system message where there is one.
func newChat(m *textModel, f families.Chat) (chat, error) {
	text, err := m.applyTemplate(f.System, pictureMark+f.Separator+questionMark)
	if err != nil {
		return chat{}, err
	}
	before, rest, one := strings.Cut(text, pictureMark)
	between, after, two := strings.Cut(rest, questionMark)
	if !one || !two || strings.Contains(after, pictureMark) {
		return chat{}, errors.New("the chat template of the text model leaves the picture or the question out: it is not a model to describe pictures with")
	}
	return chat{before + f.Prefix, between, after}, nil
}

// applyTemplate is the text of a chat of one question, up to where the answer
// begins. A model without a template of its own gets that of its vocabulary.
func (m *textModel) applyTemplate(system, user string) (string, error) {
	template := "chatml"
	if p := C.llama_model_chat_template(m.p, nil); p != nil {
		template = C.GoString(p)
	} else if m.single("<start_of_turn>") {
		template = "gemma"
	} else if !m.single("<|im_start|>") {
		return "", errors.New("the text model has no chat template: it does not answer questions; get the variant for instructions (often -Instruct or -it)")
	}
	var turns []C.struct_llama_chat_message
	var given []*C.char
	text := func(s string) *C.char {
		given = append(given, C.CString(s))
		return given[len(given)-1]
	}
	defer func() {
		for _, p := range given {
			C.free(unsafe.Pointer(p))
		}
	}()
	if system != "" {
		turns = append(turns, C.struct_llama_chat_message{role: text("system"), content: text(system)})
	}
	turns = append(turns, C.struct_llama_chat_message{role: text("user"), content: text(user)})
	ctemplate := text(template)
	// What is passed to C holds pointers: into C's memory, as it must.
	size := C.size_t(len(turns)) * C.size_t(unsafe.Sizeof(turns[0]))
	cturns := C.malloc(size)
	defer C.free(cturns)
	copy(unsafe.Slice((*C.struct_llama_chat_message)(cturns), len(turns)), turns)
	for room := 4096; ; {
		buf := (*C.char)(C.malloc(C.size_t(room)))
		n := int(C.llama_chat_apply_template(ctemplate, (*C.struct_llama_chat_message)(cturns), C.size_t(len(turns)), true, buf, C.int32_t(room)))
		var out string
		if n >= 0 && n <= room {
			out = C.GoStringN(buf, C.int(n))
		}
		C.free(unsafe.Pointer(buf))
		switch {
		case n < 0:
			return "", errors.New("llama.cpp does not know the chat template of the text model; get another conversion of it")
		case n <= room:
			return out, nil
		}
		room = n
	}
}

// single tells whether a name is one special token of the vocabulary.
func (m *textModel) single(name string) bool { return len(m.tokenize(name, true)) == 1 }

// begin puts the token before a text that the vocabulary wants every text to
// begin with.
func (m *textModel) begin(text string) []int32 {
	tokens := m.tokenize(text, true)
	if !C.llama_vocab_get_add_bos(m.vocab) {
		return tokens
	}
	bos := int32(C.llama_vocab_bos(m.vocab))
	if bos < 0 || len(tokens) > 0 && tokens[0] == bos {
		return tokens
	}
	return append([]int32{bos}, tokens...)
}

// checkTokens checks that the vocabulary has the tokens that llama.cpp puts around
// a picture of the family.
func checkTokens(m *textModel, f families.Family) error {
	for _, name := range []string{f.Chat.First, f.Chat.Last} {
		if !m.single(name) {
			return fmt.Errorf("the text model has no token %s, which the vision file (%s) needs: they do not belong together", name, f.Name)
		}
	}
	return nil
}
