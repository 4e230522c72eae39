// Package families is the table of the families of vision-language models that
// photodesc runs: the architectures of their text models, the type of their
// projector, the tokens around a picture, how --detail applies, and every tensor
// and key that a file must have. llama.cpp loads more models, but it ends the
// process if a file is not as it expects, so a model of another family is refused.
//
// Each family has a file of this package, which registers it; text.go checks the
// text models of all. internal/models checks files by the table before a worker
// loads them. Package llm chooses its front end and lays out prompts by it.
// CONTRIBUTING.md says how to add a family.
package families

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"photodesc/internal/models/gguf"
)

// Family is what differs between families of models.
type Family struct {
	// Name is for people: "Qwen2.5-VL".
	Name string
	// Projector is the type that the vision file names (clip.projector_type): the
	// layers between vision encoder and text model. It identifies the family.
	Projector string
	// Text lists the architectures that its text models may have.
	Text []TextArch
	// Tokens are special tokens that its prompts need.
	Tokens []string
	// Marks matches the names of tokens that only mark something in a prompt, such
	// as the place of a picture. An answer has none of them.
	Marks string
	// Tiled says that a picture is cut into tiles as SmolVLM's reference does, by
	// package llm. Pictures of other families are encoded as one, by llama.cpp.
	Tiled bool
	// English says that its models were trained for answers in English only.
	English bool
	// Chat is what goes around the picture in the prompt of a family that is not
	// tiled.
	Chat Chat
	// LowEdge and HighEdge are the longest edges in pixels that --detail low and
	// high stand for, where the encoder takes pictures of any size. Both are 0
	// where it takes only one size, and for tiled families, whose files say them.
	LowEdge, HighEdge int

	// vision checks the vision file's own keys and its tensors. It returns the
	// number of values of an embedding, 0 after a failure.
	vision func(*validator) (embedding uint64)
}

// Chat is the part of a prompt that the text model's chat template does not give.
type Chat struct {
	First, Last string // the tokens that llama.cpp puts before and after a picture
	Prefix      string // text before First, as in training
	Separator   string // text between picture and question
	System      string // the system message that the model was trained with
}

// TextArch is an architecture of text models (general.architecture).
type TextArch struct {
	Name string

	tokenizer   string // "gpt2": byte pairs; "llama": SentencePiece
	headSizeKey bool   // attention.key_length may differ from embedding length / heads
	biases      bool   // attention has biases; llama.cpp loads a file without and ends the process
	headNorms   bool   // norms of queries and keys
	postNorms   bool   // norms after attention and feed-forward
	sections    bool   // M-RoPE: positions in time, height and width
	deepstack   bool   // takes further features of a picture, for its first layers
}

// Architectures that several families share.
var (
	archQwen2   = TextArch{Name: "qwen2", tokenizer: "gpt2", biases: true}
	archQwen2VL = TextArch{Name: "qwen2vl", tokenizer: "gpt2", biases: true, sections: true}
	archQwen3   = TextArch{Name: "qwen3", tokenizer: "gpt2", headSizeKey: true, headNorms: true}
	archQwen3VL = TextArch{Name: "qwen3vl", tokenizer: "gpt2", headSizeKey: true, headNorms: true, sections: true, deepstack: true}
)

// byProjector has the families by their Projector. The files of the families fill it.
var byProjector = map[string]Family{}

// register adds a family to the table.
func register(f Family) Family {
	if _, twice := byProjector[f.Projector]; twice {
		panic("two families with the projector " + f.Projector)
	}
	byProjector[f.Projector] = f
	return f
}

// ByProjector returns the family of a type of projector.
func ByProjector(projector string) (f Family, known bool) {
	f, known = byProjector[projector]
	return f, known
}

// Names lists the families as a sentence does: "Gemma 3, InternVL and SmolVLM".
func Names() string {
	var names []string
	for _, f := range byProjector {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// IsMark tells whether the name of a token is that of a mark, of any family or of
// the common form <|…|>: a vocabulary may have the marks of several families.
func IsMark(token string) bool { return marks().MatchString(token) }

var marks = sync.OnceValue(func() *regexp.Regexp {
	expr := `<\|.+\|>`
	for _, f := range byProjector {
		if f.Marks != "" {
			expr += "|" + f.Marks
		}
	}
	return regexp.MustCompile("(?s)^(" + expr + ")$")
})

// UnknownError says that a file is of no family of the table. A newer llama.cpp than
// the linked one may know it.
type UnknownError struct{ reason string }

func (e *UnknownError) Error() string { return e.reason }

// Of returns the family that a vision file belongs to. The error says what is
// wrong with the file, without its name.
func Of(vision *gguf.File) (Family, error) {
	v := newValidator(vision)
	v.require(optional[bool](v, "clip.has_vision_encoder"), "it has no vision encoder")
	sound := optional[bool](v, "clip.has_audio_encoder")
	projector := optional[string](v, "clip.projector_type")
	if projector == "" {
		projector = optional[string](v, "clip.vision.projector_type")
	}
	switch {
	case v.err != nil:
		return Family{}, v.err
	case sound:
		return Family{}, &UnknownError{"it is for sound, too, which photodesc does not know"}
	}
	f, known := byProjector[projector]
	if !known {
		return f, &UnknownError{fmt.Sprintf("it is of the type %q; the vision models that photodesc knows are %s", projector, Names())}
	}
	return f, nil
}

// knownArch tells whether the text models of any family have the architecture.
func knownArch(name string) bool { return slices.Contains(architectures(), name) }

// architectures lists those of all families' text models, sorted.
func architectures() []string {
	names := map[string]bool{}
	for _, f := range byProjector {
		for _, a := range f.Text {
			names[a.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
