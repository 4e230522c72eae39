package export

import "strings"

// formulaStarts are the characters with which spreadsheets begin a formula or pass over to find one, in the wide form of
// Japanese and Chinese keyboards, too.
const formulaStarts = "=+-@\t\r\n＝＋－＠"

// Guard puts an apostrophe before text that a spreadsheet would take for a formula and execute: text in a photo may become a
// description, and anybody may name a file. [Unguard] is its exact inverse.
func Guard(cell string) string {
	if strings.IndexAny(first(strings.TrimLeft(cell, "'")), formulaStarts) == 0 {
		return "'" + cell
	}
	return cell
}

// Unguard takes away the apostrophe of [Guard].
func Unguard(cell string) string {
	rest, quoted := strings.CutPrefix(cell, "'")
	if quoted && strings.IndexAny(first(strings.TrimLeft(rest, "'")), formulaStarts) == 0 {
		return rest
	}
	return cell
}

// first is the first character of a text.
func first(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}
