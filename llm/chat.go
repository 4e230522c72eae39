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

// Placeholders of the picture and the question while a chat template is applied.
const (
	pictureMark  = "<__media__>"
	questionMark = "<__question__>"
)

// chat is the text that a chat template puts around a picture and a question.
type chat struct {
	before, between, after string
}

// newChat applies the model's chat template to a message of picture, separator and
// question, after the family's system message if it has one.
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

// applyTemplate returns the text of a chat with one message of the user, up to the
// start of the answer. A model without a template gets the one that its vocabulary
// suggests.
func (m *textModel) applyTemplate(system, user string) (string, error) {
	template := "chatml"
	if p := C.llama_model_chat_template(m.p, nil); p != nil {
		template = C.GoString(p)
	} else if m.single("<start_of_turn>") {
		template = "gemma"
	} else if !m.single("<|im_start|>") {
		return "", errors.New("the text model has no chat template: it does not answer questions; get the variant for instructions (often -Instruct or -it)")
	}
	var messages []C.struct_llama_chat_message
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
		messages = append(messages, C.struct_llama_chat_message{role: text("system"), content: text(system)})
	}
	messages = append(messages, C.struct_llama_chat_message{role: text("user"), content: text(user)})
	ctemplate := text(template)
	// cgo does not allow Go memory that holds pointers to be passed to C.
	cmessages := C.malloc(C.size_t(len(messages)) * C.size_t(unsafe.Sizeof(messages[0])))
	defer C.free(cmessages)
	copy(unsafe.Slice((*C.struct_llama_chat_message)(cmessages), len(messages)), messages)
	for size := 4096; ; {
		buf := (*C.char)(C.malloc(C.size_t(size)))
		n := int(C.llama_chat_apply_template(ctemplate, (*C.struct_llama_chat_message)(cmessages), C.size_t(len(messages)), true, buf, C.int32_t(size)))
		var out string
		if n >= 0 && n <= size {
			out = C.GoStringN(buf, C.int(n))
		}
		C.free(unsafe.Pointer(buf))
		switch {
		case n < 0:
			return "", errors.New("llama.cpp does not know the chat template of the text model; get another conversion of it")
		case n <= size:
			return out, nil
		}
		size = n
	}
}

// single tells whether a name is one token of the vocabulary.
func (m *textModel) single(name string) bool { return len(m.tokenize(name, true)) == 1 }

// begin tokenises the beginning of a prompt, with the BOS token if the vocabulary
// requires one.
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
