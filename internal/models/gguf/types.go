package gguf

import "fmt"

// Type is how the values of a tensor are stored, as ggml numbers it.
type Type uint32

// Types that other packages name.
const (
	F32  Type = 0
	F16  Type = 1
	Q8_0 Type = 8
	BF16 Type = 30
)

// layouts has the types that the linked llama.cpp knows: values in a block, and bytes
// of a block.
var layouts = map[Type]struct {
	name         string
	block, bytes uint64
}{
	F32: {"F32", 1, 4}, F16: {"F16", 1, 2}, BF16: {"BF16", 1, 2},
	2: {"Q4_0", 32, 18}, 3: {"Q4_1", 32, 20}, 6: {"Q5_0", 32, 22}, 7: {"Q5_1", 32, 24},
	Q8_0: {"Q8_0", 32, 34}, 9: {"Q8_1", 32, 36},
	10: {"Q2_K", 256, 84}, 11: {"Q3_K", 256, 110}, 12: {"Q4_K", 256, 144},
	13: {"Q5_K", 256, 176}, 14: {"Q6_K", 256, 210}, 15: {"Q8_K", 256, 292},
	16: {"IQ2_XXS", 256, 66}, 17: {"IQ2_XS", 256, 74}, 18: {"IQ3_XXS", 256, 98},
	19: {"IQ1_S", 256, 50}, 20: {"IQ4_NL", 32, 18}, 21: {"IQ3_S", 256, 110},
	22: {"IQ2_S", 256, 82}, 23: {"IQ4_XS", 256, 136}, 29: {"IQ1_M", 256, 56},
	24: {"I8", 1, 1}, 25: {"I16", 1, 2}, 26: {"I32", 1, 4}, 27: {"I64", 1, 8}, 28: {"F64", 1, 8},
	34: {"TQ1_0", 256, 54}, 35: {"TQ2_0", 256, 66}, 39: {"MXFP4", 32, 17},
}

func (t Type) layout() (block, bytes uint64) {
	l := layouts[t]
	return l.block, l.bytes
}

// String returns ggml's name of the type, such as "Q8_0".
func (t Type) String() string {
	if l, known := layouts[t]; known {
		return l.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Weights tells whether a model's matrices can have the type. ggml uses the others
// for its own calculations; a matrix of such a type would end the process.
func (t Type) Weights() bool {
	switch t {
	case 9, 15, 24, 25, 26, 27, 28:
		return false
	}
	_, known := layouts[t]
	return known
}
