package models

import (
	"slices"
)

// Default is the model of a run that names none.
const Default = "smolvlm"

// Entry is a model that has a name.
type Entry struct {
	Name    string
	Repo    string // on the hub; empty for the model in the program itself
	Text    Part
	Vision  Part
	Memory  uint64 // bytes that describing takes at least, from measuring a model of the same shape and types
	Licence string
	Good    string // what it is good for
}

// Part is one of a model's two files.
type Part struct {
	File string
	Type string // how its numbers are stored
	Size int64  // bytes, for people; what a download must have is what the hub says then
}

// Size is that of both files.
func (e Entry) Size() int64 { return e.Text.Size + e.Vision.Size }

const apache = "Apache-2.0"

// Catalogue are the models that have names, the default first.
//
// Repositories, names and sizes of the files are as several public programs
// that fetch the same files have them, with the same SHA-256; they have not
// been compared with the hub itself. The smaller models are published in Q8_0
// and F16 only.
var Catalogue = []Entry{
	{
		Name: Default, Repo: "ggml-org/SmolVLM-Instruct-GGUF",
		Text:   Part{"SmolVLM-Instruct-Q4_K_M.gguf", "Q4_K_M", 1_112_242_368},
		Vision: Part{"mmproj-SmolVLM-Instruct-Q8_0.gguf", "Q8_0", 592_521_344},
		Memory: 2600 << 20, Licence: apache,
		Good: "full descriptions",
	},
	{
		Name: "smolvlm2", Repo: "ggml-org/SmolVLM2-2.2B-Instruct-GGUF",
		Text:   Part{"SmolVLM2-2.2B-Instruct-Q4_K_M.gguf", "Q4_K_M", 1_112_602_656},
		Vision: Part{"mmproj-SmolVLM2-2.2B-Instruct-Q8_0.gguf", "Q8_0", 592_523_200},
		Memory: 2600 << 20, Licence: apache,
		Good: "its successor, better at text",
	},
	{
		Name: "smolvlm-500m", Repo: "ggml-org/SmolVLM-500M-Instruct-GGUF",
		Text:   Part{"SmolVLM-500M-Instruct-Q8_0.gguf", "Q8_0", 436_806_912},
		Vision: Part{"mmproj-SmolVLM-500M-Instruct-Q8_0.gguf", "Q8_0", 108_783_360},
		Memory: 900 << 20, Licence: apache,
		Good: "faster, shorter and plainer",
	},
	{
		Name: "smolvlm2-500m", Repo: "ggml-org/SmolVLM2-500M-Video-Instruct-GGUF",
		Text:   Part{"SmolVLM2-500M-Video-Instruct-Q8_0.gguf", "Q8_0", 436_808_704},
		Vision: Part{"mmproj-SmolVLM2-500M-Video-Instruct-Q8_0.gguf", "Q8_0", 108_785_184},
		Memory: 900 << 20, Licence: apache,
		Good: "its successor, also for video",
	},
	{
		Name: "smolvlm-256m", Repo: "ggml-org/SmolVLM-256M-Instruct-GGUF",
		Text:   Part{"SmolVLM-256M-Instruct-Q8_0.gguf", "Q8_0", 175_054_528},
		Vision: Part{"mmproj-SmolVLM-256M-Instruct-Q8_0.gguf", "Q8_0", 103_769_856},
		Memory: 600 << 20, Licence: apache,
		Good: "fastest, few details",
	},
	{
		Name:   "builtin",
		Text:   Part{"builtin.gguf", "Q8_0", int64(len(builtinText))},
		Vision: Part{"mmproj-builtin.gguf", "Q8_0", int64(len(builtinVision))},
		Memory: 64 << 20, Licence: "MIT",
		Good: "trying out without a network",
	},
}

func named(name string) (Entry, bool) {
	i := slices.IndexFunc(Catalogue, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, false
	}
	return Catalogue[i], true
}

// Names are those of the catalogue.
func Names() []string {
	var names []string
	for _, e := range Catalogue {
		names = append(names, e.Name)
	}
	return names
}

// largestWithin is the largest model for so much memory; empty if there is none.
func largestWithin(limit uint64) string {
	name, most := "", uint64(0)
	for _, e := range Catalogue {
		if e.Repo != "" && e.Memory <= limit && e.Memory > most {
			name, most = e.Name, e.Memory
		}
	}
	return name
}
