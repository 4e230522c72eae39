package prompts

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"photodesc/internal/photo"
)

// ContextTokens is the limit in tokens for a Context. Ordinary text needs far fewer
// tokens than bytes.
const ContextTokens = 160

// longestName limits the file name in a Context, in bytes.
const longestName = 48

// Context returns what is known of a photo as a line to put before the question, or
// nothing. name is the name of its file. It is foreign text: it becomes a short
// quotation without control characters.
func Context(name string, m photo.Metadata) string {
	var known []string
	if !m.Taken.IsZero() {
		known = append(known, m.Taken.Format("taken on 2 January 2006 at 15:04"))
	}
	if m.HasPlace {
		known = append(known, "at "+degrees(m.Latitude, "N", "S")+", "+degrees(m.Longitude, "E", "W"))
	}
	if name = oneLine(strings.NewReplacer(`"`, "'", "<", "(", ">", ")").Replace(name)); name != "" {
		for len(name) > longestName {
			_, n := utf8.DecodeLastRuneInString(name)
			name = name[:len(name)-n]
		}
		known = append(known, `file name "`+name+`"`)
	}
	if len(known) == 0 {
		return ""
	}
	return "Known of this image: " + strings.Join(known, "; ") + ".\n"
}

func degrees(v float64, plus, minus string) string {
	side := plus
	if v < 0 {
		side = minus
	}
	return fmt.Sprintf("%.4f° %s", math.Abs(v), side)
}
