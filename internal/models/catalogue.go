package models

import (
	"slices"
)

// Default is the name of the model of a run that names none.
const Default = "smolvlm"

// Entry is a model of the catalogue.
type Entry struct {
	Name   string
	Repo   string // on the hub; empty for the model in the program itself
	Text   Part
	Vision Part
	// Memory is the bytes that a run with one worker and one photo at a time plans for,
	// measured with stand-ins of the same tensors (mkmodel -published), and up to 5% more.
	Memory  uint64
	Licence string // SPDX identifier
	Good    string // what it is good for, a few words
	// Languages are the BCP-47 tags of those that it answers in; "mul" is many.
	Languages []string
}

// Part is one of a model's two files.
type Part struct {
	File string
	Type string // of most of its weights
	Size int64  // bytes, for people; a download is checked against the size that the hub states
}

// Size is the size of both files in bytes.
func (e Entry) Size() int64 { return e.Text.Size + e.Vision.Size }

const apache = "Apache-2.0"

// Languages of models: SmolVLM's cards name English alone, Qwen's text models were
// trained with more than a hundred.
var (
	english = []string{"en"}
	many    = []string{"mul"}
)

// Catalogue lists the models that have names, the default first.
//
// Repositories, file names and sizes are those that several public programs state
// which fetch the same files, with the same SHA-256. They have not been compared with
// the hub itself. The smaller models are published in Q8_0 and F16 only.
var Catalogue = []Entry{
	{
		Name: Default, Repo: "ggml-org/SmolVLM-Instruct-GGUF",
		Text:   Part{"SmolVLM-Instruct-Q4_K_M.gguf", "Q4_K_M", 1_112_242_368},
		Vision: Part{"mmproj-SmolVLM-Instruct-Q8_0.gguf", "Q8_0", 592_521_344},
		Memory: 2070 << 20, Licence: apache,
		Good: "full descriptions", Languages: english,
	},
	{
		Name: "smolvlm2", Repo: "ggml-org/SmolVLM2-2.2B-Instruct-GGUF",
		Text:   Part{"SmolVLM2-2.2B-Instruct-Q4_K_M.gguf", "Q4_K_M", 1_112_602_656},
		Vision: Part{"mmproj-SmolVLM2-2.2B-Instruct-Q8_0.gguf", "Q8_0", 592_523_200},
		Memory: 1970 << 20, Licence: apache,
		Good: "its successor, better at text", Languages: english,
	},
	{
		Name: "smolvlm-500m", Repo: "ggml-org/SmolVLM-500M-Instruct-GGUF",
		Text:   Part{"SmolVLM-500M-Instruct-Q8_0.gguf", "Q8_0", 436_806_912},
		Vision: Part{"mmproj-SmolVLM-500M-Instruct-Q8_0.gguf", "Q8_0", 108_783_360},
		Memory: 690 << 20, Licence: apache,
		Good: "faster, shorter and plainer", Languages: english,
	},
	{
		Name: "smolvlm2-500m", Repo: "ggml-org/SmolVLM2-500M-Video-Instruct-GGUF",
		Text:   Part{"SmolVLM2-500M-Video-Instruct-Q8_0.gguf", "Q8_0", 436_808_704},
		Vision: Part{"mmproj-SmolVLM2-500M-Video-Instruct-Q8_0.gguf", "Q8_0", 108_785_184},
		Memory: 690 << 20, Licence: apache,
		Good: "its successor, also for video", Languages: english,
	},
	{
		Name: "smolvlm-256m", Repo: "ggml-org/SmolVLM-256M-Instruct-GGUF",
		Text:   Part{"SmolVLM-256M-Instruct-Q8_0.gguf", "Q8_0", 175_054_528},
		Vision: Part{"mmproj-SmolVLM-256M-Instruct-Q8_0.gguf", "Q8_0", 103_769_856},
		Memory: 410 << 20, Licence: apache,
		Good: "fastest, few details: for trying", Languages: english,
	},
	{
		Name: "smolvlm2-256m", Repo: "ggml-org/SmolVLM2-256M-Video-Instruct-GGUF",
		Text:   Part{"SmolVLM2-256M-Video-Instruct-Q8_0.gguf", "Q8_0", 175_056_352},
		Vision: Part{"mmproj-SmolVLM2-256M-Video-Instruct-Q8_0.gguf", "Q8_0", 103_771_680},
		Memory: 410 << 20, Licence: apache,
		Good: "its successor, for trying", Languages: english,
	},
	{
		Name: "qwen3-vl-2b", Repo: "Qwen/Qwen3-VL-2B-Instruct-GGUF",
		Text:   Part{"Qwen3VL-2B-Instruct-Q4_K_M.gguf", "Q4_K_M", 1_107_409_952},
		Vision: Part{"mmproj-Qwen3VL-2B-Instruct-Q8_0.gguf", "Q8_0", 445_053_216},
		Memory: 2300 << 20, Licence: apache,
		Good: "many languages, text in photos", Languages: many,
	},
	{
		Name: "qwen3-vl-4b", Repo: "Qwen/Qwen3-VL-4B-Instruct-GGUF",
		Text:   Part{"Qwen3VL-4B-Instruct-Q4_K_M.gguf", "Q4_K_M", 2_497_281_664},
		Vision: Part{"mmproj-Qwen3VL-4B-Instruct-Q8_0.gguf", "Q8_0", 453_974_304},
		Memory: 3750 << 20, Licence: apache,
		Good: "the same, better and slower", Languages: many,
	},
	{
		Name:   "builtin",
		Text:   Part{"builtin.gguf", "F16", int64(len(builtinText))},
		Vision: Part{"mmproj-builtin.gguf", "F16", int64(len(builtinVision))},
		Memory: 40 << 20, Licence: "MIT",
		Good: "trying out without a network", Languages: english,
	},
}

func named(name string) (Entry, bool) {
	i := slices.IndexFunc(Catalogue, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, false
	}
	return Catalogue[i], true
}

// Names lists the names of the catalogue, the default first.
func Names() []string {
	var names []string
	for _, e := range Catalogue {
		names = append(names, e.Name)
	}
	return names
}

// largestWithin returns the largest model for a memory of limit bytes; empty if there
// is none.
func largestWithin(limit uint64) string {
	name, most := "", uint64(0)
	for _, e := range Catalogue {
		if e.Repo != "" && e.Memory <= limit && e.Memory > most {
			name, most = e.Name, e.Memory
		}
	}
	return name
}
