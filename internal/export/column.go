package export

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"photodesc/internal/prompts"
	"photodesc/tracker"
)

// Column is a column of a table.
type Column struct {
	Name   string
	value  func(*tracker.Photo) string
	number bool // what begins with a minus is no formula
}

// answersPrefix begins the names of the columns with the answers to further prompts.
const answersPrefix = "answers."

// columns are those that do not depend on the prompts. Those of others, such as numbers, are asked for by name.
var columns = []struct {
	Column
	usual bool // written where a person does not choose
}{
	{Column{"path", func(r *tracker.Photo) string { return tracker.EncodePath(r.Path) }, false}, true},
	{Column{"description", func(r *tracker.Photo) string { return r.Description }, false}, true},
	{Column{"keywords", func(r *tracker.Photo) string { return joined(r.Keywords) }, false}, true},
	{Column{"taken", func(r *tracker.Photo) string { return cameraTime(r.Taken) }, false}, true},
	{Column{"camera", func(r *tracker.Photo) string { return r.Camera }, false}, true},
	{Column{"model", func(r *tracker.Photo) string { return r.Model }, false}, true},
	{Column{"width", func(r *tracker.Photo) string { return number(r.Width) }, true}, true},
	{Column{"height", func(r *tracker.Photo) string { return number(r.Height) }, true}, true},
	{Column{"time", func(r *tracker.Photo) string { return moment(r.Time) }, false}, true},
	{Column{"latitude", func(r *tracker.Photo) string {
		latitude, _, ok := r.Place.Point()
		return degrees(latitude, ok)
	}, true}, false},
	{Column{"longitude", func(r *tracker.Photo) string {
		_, longitude, ok := r.Place.Point()
		return degrees(longitude, ok)
	}, true}, false},
	{Column{"place", func(r *tracker.Photo) string { return r.Place.Names() }, false}, false},
	{Column{"city", func(r *tracker.Photo) string { return placeOf(r).City }, false}, false},
	{Column{"country", func(r *tracker.Photo) string { return placeOf(r).Country }, false}, false},
	{Column{"corrected", func(r *tracker.Photo) string { return moment(r.CorrectedAt) }, false}, false},
	{Column{"language", func(r *tracker.Photo) string { return r.Language }, false}, false},
	{Column{"prompt", func(r *tracker.Photo) string { return r.Prompt }, false}, false},
	{Column{"settings", func(r *tracker.Photo) string { return r.Settings }, false}, false},
	{Column{"tokens", func(r *tracker.Photo) string { return number(r.Tokens) }, true}, false},
	{Column{"seconds", func(r *tracker.Photo) string { return strconv.FormatFloat(r.Seconds.Total, 'f', -1, 64) }, true}, false},
	{Column{"duplicate_of", func(r *tracker.Photo) string {
		if r.Of == "" {
			return ""
		}
		return tracker.EncodePath(r.Of)
	}, false}, false},
	{Column{"moved_from", func(r *tracker.Photo) string {
		if r.From == "" {
			return ""
		}
		return tracker.EncodePath(r.From)
	}, false}, false},
	{Column{"status", func(r *tracker.Photo) string { return string(r.Status) }, false}, false},
	{Column{"error_kind", func(r *tracker.Photo) string { return string(failure(r).Kind) }, false}, false},
	{Column{"error", func(r *tracker.Photo) string { return failure(r).Message }, false}, false},
}

// failedColumns are added where photos that failed are written, too.
var failedColumns = []string{"status", "error_kind", "error"}

func joined(keywords []string) string { return strings.Join(keywords, ", ") }

// number is empty for 0: a failed photo has no size.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// cameraTime is when a photo was taken by the camera's clock, in the form that spreadsheets take for a time.
func cameraTime(taken string) string {
	t, _, err := tracker.ParseTaken(taken)
	if err != nil {
		return ""
	}
	return t.Format(time.DateTime)
}

func degrees(value float64, known bool) string {
	if !known {
		return ""
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}

func placeOf(r *tracker.Photo) tracker.PhotoPlace {
	if r.Place == nil {
		return tracker.PhotoPlace{}
	}
	return *r.Place
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func failure(r *tracker.Photo) tracker.RecordError {
	if r.Error == nil {
		return tracker.RecordError{}
	}
	return *r.Error
}

// answer is the column of a further prompt.
func answer(name string) Column {
	return Column{answersPrefix + name, func(r *tracker.Photo) string { return r.Answers[name].Text }, false}
}

// ColumnNames lists the columns that there are, without those of further prompts.
func ColumnNames() (names []string) {
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// UsualColumns are those of a table for which nobody has chosen any: with the answers to the further prompts given, and
// with what went wrong where failed photos are written, too.
func UsualColumns(further []string, failed bool) (list []Column) {
	for _, c := range columns {
		if c.usual || failed && slices.Contains(failedColumns, c.Name) {
			list = append(list, c.Column)
		}
		if c.Name == "keywords" {
			for _, name := range further {
				list = append(list, answer(name))
			}
		}
	}
	return list
}

// ChosenColumns are the columns with the names given. The error names one that there is not.
func ChosenColumns(names []string) (list []Column, err error) {
	for _, name := range names {
		name = strings.TrimSpace(name)
		if i := slices.IndexFunc(columns, func(c struct {
			Column
			usual bool
		}) bool {
			return c.Name == name
		}); i >= 0 {
			list = append(list, columns[i].Column)
			continue
		}
		further, is := strings.CutPrefix(name, answersPrefix)
		if !is || further == "" {
			return nil, fmt.Errorf("there is no column %q\n  the columns are %s, and %sNAME with the answer to a further prompt", name, strings.Join(ColumnNames(), ", "), answersPrefix)
		}
		list = append(list, answer(further))
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("there is no column to write")
	}
	return list, nil
}

// Further collects the names of the further prompts of records.
type Further map[string]bool

// Add adds the prompts of a record. Keywords that are a list have a column of their own.
func (f Further) Add(r *tracker.Photo) {
	for name := range r.Answers {
		if name != prompts.Keywords || len(r.Keywords) == 0 {
			f[name] = true
		}
	}
}

// Names are the names in order: those of the program's prompts first, in its order.
func (f Further) Names() (names []string) {
	for _, p := range prompts.All() {
		if f[p.Name] {
			names = append(names, p.Name)
		}
	}
	var own []string
	for name := range f {
		if !slices.Contains(names, name) {
			own = append(own, name)
		}
	}
	slices.SortFunc(own, func(a, b string) int {
		if len(a) != len(b) { // prompt-9 before prompt-10
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return append(names, own...)
}
