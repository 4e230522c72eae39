package models

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Orders of preference among the files of a repository: good quality for little
// memory first.
var (
	textOrder   = []string{"Q4_K_M", "Q5_K_M", "Q4_K_S", "Q5_K_S", "Q4_K_L", "Q6_K", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_XS", "IQ4_NL", "F16", "BF16", "Q3_K_L", "Q3_K_M", "F32"}
	visionOrder = []string{"Q8_0", "F16", "BF16", "F32"}
	part        = regexp.MustCompile(`-\d{5}-of-\d{5}\.gguf$`)
	typeName    = regexp.MustCompile(`(?i)(?:^|[-._])((?:I?Q\d(?:_[0-9A-Z]+)*)|BF16|F16|F32|FP16|FP32)\.gguf$`)
)

// choose picks the text model and the vision file among a repository's files. With a
// weight type (Q8_0) the text model has that type. What there is none of is empty.
func choose(files []string, weightType string) (text, vision string) {
	var texts, visions []string
	for _, f := range files {
		name := strings.ToLower(path.Base(f))
		switch {
		case !strings.HasSuffix(name, ".gguf") || part.MatchString(name):
		case strings.Contains(name, "mmproj"):
			visions = append(visions, f)
		case weightType == "" || strings.EqualFold(typeOf(f), weightType):
			texts = append(texts, f)
		}
	}
	return first(texts, textOrder), first(visions, visionOrder)
}

// typeOf reads the weight type from a file's name; empty if it has none.
func typeOf(file string) string {
	m := typeName.FindStringSubmatch(path.Base(file))
	if m == nil {
		return ""
	}
	t := strings.ToUpper(m[1])
	if rest, ok := strings.CutPrefix(t, "FP"); ok {
		return "F" + rest
	}
	return t
}

// first returns the file whose type comes first in an order.
func first(files, order []string) string {
	if len(files) == 0 {
		return ""
	}
	rank := func(f string) int {
		if i := slices.Index(order, typeOf(f)); i >= 0 {
			return i
		}
		return len(order)
	}
	return slices.MinFunc(files, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(len(a), len(b)), strings.Compare(a, b))
	})
}
