package prompts

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"photodesc/internal/photo"
)

// ContextTokens is room for any Context: no token is shorter than a byte, and
// usual words take far fewer.
const ContextTokens = 160

// longestName bounds what is told of a file's name, in bytes.
const longestName = 48

// Context is what is known of a photo, in a line to put before the question.
// name is its file's name. It comes from anywhere, so it is told as a
// quotation, short and without what is no text.
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
