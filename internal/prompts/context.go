package prompts

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"photodesc/internal/photo"
)

// Facts say what a model is told of each photo: names of [facts], in their order.
type Facts []string

// fact is something that a model can be told of a photo.
type fact struct {
	name  string
	text  string // for people
	bytes int    // of it in what is told, at most; names and quotation marks included
	tell  func(rel string, m photo.Metadata, w photo.Written) []string
}

var facts = []fact{
	{"exif", "file name, date and place", 137, func(rel string, m photo.Metadata, _ photo.Written) (list []string) {
		if !m.Taken.IsZero() {
			list = append(list, m.Taken.Format("taken on 2 January 2006 at 15:04"))
		}
		if m.HasPlace {
			list = append(list, "at "+degrees(m.Latitude, "N", "S")+", "+degrees(m.Longitude, "E", "W"))
		}
		return append(list, quotation("file name", shortened(oneLine(strings.NewReplacer(`"`, "'", "<", "(", ">", ")").Replace(rel[strings.LastIndexByte(rel, '/')+1:])), 48)))
	}},
	{"folder", "names of folders", 100, func(rel string, _ photo.Metadata, _ photo.Written) []string {
		return []string{quotation("in the folder", lastFolders(path.Dir(rel), 80))}
	}},
	{"place", "names of places", 120, func(_ string, _ photo.Metadata, w photo.Written) []string {
		return []string{quotation("place", list(w.Place.List(), 100))}
	}},
	{"caption", "captions", 280, func(_ string, _ photo.Metadata, w photo.Written) []string {
		return []string{quotation("a person's caption", cut(plainly(w.Caption), 240))}
	}},
	{"keywords", "keywords", 140, func(_ string, _ photo.Metadata, w photo.Written) []string {
		return []string{quotation("a person's keywords", list(w.Keywords, 110))}
	}},
	{"people", "names of people", 140, func(_ string, _ photo.Metadata, w photo.Written) []string {
		return []string{quotation("people in it", list(w.People, 110))}
	}},
}

// factNone says that the model is told nothing.
const factNone = "none"

// FactNames are the names of what a model can be told.
func FactNames() (names []string) {
	for _, f := range facts {
		names = append(names, f.name)
	}
	return names
}

// ParseFacts reads names with commas between them, or "none".
func ParseFacts(given string) (Facts, error) {
	if strings.TrimSpace(given) == factNone {
		return nil, nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(given, ",") {
		if name = strings.TrimSpace(name); !slices.Contains(FactNames(), name) {
			return nil, fmt.Errorf("%q is none of %s, with commas between them, or %s alone", name, strings.Join(FactNames(), ", "), factNone)
		}
		wanted[name] = true
	}
	return slices.DeleteFunc(FactNames(), func(name string) bool { return !wanted[name] }), nil
}

// String is the facts in the form that ParseFacts reads, the same for the same facts.
func (f Facts) String() string {
	if len(f) == 0 {
		return factNone
	}
	return strings.Join(f, ",")
}

func (f Facts) all() (list []fact) {
	for _, one := range facts {
		if slices.Contains(f, one.name) {
			list = append(list, one)
		}
	}
	return list
}

// Text names the facts for people.
func (f Facts) Text() string {
	var texts []string
	for _, one := range f.all() {
		texts = append(texts, one.text)
	}
	return strings.Join(texts, ", ")
}

// InSidecars is whether any of the facts may be in a photo's sidecar.
func (f Facts) InSidecars() bool {
	return slices.ContainsFunc(f, func(name string) bool { return name != "exif" && name != "folder" })
}

// Tokens limits what Tell returns, in tokens. Ordinary text needs far fewer tokens than bytes.
func (f Facts) Tokens() (n int) {
	for _, one := range f.all() {
		n += one.bytes
	}
	if n > 0 {
		n += len(known) + len(".\n")
	}
	return n
}

// Tell returns what is known of a photo as a line to put before the question, or nothing.
// What it tells is foreign text, which becomes short quotations without control characters.
// rel is the photo's path below the photo folder, "" if it has none.
func (f Facts) Tell(rel string, m photo.Metadata, w photo.Written) string {
	var list []string
	for _, one := range f.all() {
		for _, text := range one.tell(rel, m, w) {
			if text != "" {
				list = append(list, text)
			}
		}
	}
	if len(list) == 0 {
		return ""
	}
	return known + strings.Join(list, "; ") + ".\n"
}

// known begins what is told.
const known = "Known of this image: "

// quotation is a quotation, "" of nothing.
func quotation(what, text string) string {
	if text == "" {
		return ""
	}
	return what + ` "` + text + `"`
}

// unquoted replaces what could end a quotation or look like a special token.
var unquoted = strings.NewReplacer(`"`, "'", "“", "'", "”", "'", "„", "'", "<", "(", ">", ")", "|", "/")

// plainly makes foreign text one line that cannot end a quotation.
func plainly(s string) string { return oneLine(unquoted.Replace(s)) }

// shortened cuts text to so many bytes.
func shortened(s string, bytes int) string {
	for len(s) > bytes {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}

// cut cuts text to so many bytes, after a word where that leaves most of it, and says so.
func cut(s string, bytes int) string {
	if len(s) <= bytes {
		return s
	}
	s = shortened(s, bytes-len("…"))
	if i := strings.LastIndexByte(s, ' '); i > len(s)/2 {
		s = s[:i]
	}
	return s + "…"
}

// list joins as many texts as fit in so many bytes, and at least the beginning of the first.
func list(texts []string, bytes int) string {
	joined := ""
	for _, s := range texts {
		s = plainly(s)
		switch {
		case s == "":
		case joined == "":
			joined = cut(s, bytes)
		case len(joined)+len(", ")+len(s) > bytes:
			return joined
		default:
			joined += ", " + s
		}
	}
	return joined
}

// lastFolders are the last folders of a path that fit in so many bytes, at least the end of the last.
func lastFolders(dir string, bytes int) string {
	joined := ""
	names := strings.Split(dir, "/")
	for _, name := range slices.Backward(names) {
		name = plainly(name)
		switch {
		case name == "" || name == ".":
		case joined == "":
			joined = cut(name, bytes)
		case len(name)+len("/")+len(joined) > bytes:
			return joined
		default:
			joined = name + "/" + joined
		}
	}
	return joined
}

func degrees(v float64, plus, minus string) string {
	side := plus
	if v < 0 {
		side = minus
	}
	return fmt.Sprintf("%.4f° %s", math.Abs(v), side)
}
