package export

import (
	"encoding/csv"
	"io"
	"strings"

	"photodesc/tracker"
)

// byteOrderMark has Excel read a file as UTF-8.
const byteOrderMark = "\ufeff"

// TableOptions are how a table is written.
type TableOptions struct {
	Columns   []Column
	Separator rune // of CSV; 0 is a comma
	Tabs      bool // TSV: tabs between fields, and spaces for tabs and line ends in them
	Mark      bool // begin with a byte order mark
	Raw       bool // do not guard text that begins as a formula does
}

// Table writes records as the rows of a table, with a row of names first.
type Table struct {
	options TableOptions
	out     *csv.Writer
	row     []string
	plain   io.Writer // of TSV
}

// NewTable begins a table.
func NewTable(w io.Writer, o TableOptions) (*Table, error) {
	if o.Mark {
		if _, err := io.WriteString(w, byteOrderMark); err != nil {
			return nil, err
		}
	}
	t := &Table{options: o, out: csv.NewWriter(w), plain: w, row: make([]string, len(o.Columns))}
	if o.Separator != 0 {
		t.out.Comma = o.Separator
	}
	for i, c := range o.Columns {
		t.row[i] = c.Name
	}
	return t, t.write()
}

// Write writes a row.
func (t *Table) Write(r *tracker.Photo) error {
	for i, c := range t.options.Columns {
		t.row[i] = c.value(r)
	}
	return t.write()
}

// Close writes what is left. It does not close what the table is written to.
func (t *Table) Close() error {
	t.out.Flush()
	return t.out.Error()
}

// write writes t.row.
func (t *Table) write() error {
	for i, cell := range t.row {
		cell = strings.ReplaceAll(cell, "\x00", "") // ends the text for many readers
		if t.options.Tabs {
			cell = spaces.Replace(cell)
		}
		if !t.options.Raw && !t.options.Columns[i].number {
			cell = Guard(cell)
		}
		if t.options.Tabs && strings.HasPrefix(cell, `"`) {
			// Readers of CSV, which most readers of TSV are, would read on to the next quote, lines later.
			cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
		}
		t.row[i] = cell
	}
	switch {
	case t.options.Tabs:
		_, err := io.WriteString(t.plain, strings.Join(t.row, "\t")+"\n")
		return err
	case len(t.row) == 1 && t.row[0] == "": // an empty line would be passed over
		t.out.Flush()
		_, err := io.WriteString(t.plain, "\"\"\n")
		return err
	}
	return t.out.Write(t.row)
}

// spaces puts a space where a field of TSV would end.
var spaces = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ", "\v", " ", "\f", " ", "\u0085", " ", "\u2028", " ", "\u2029", " ")
