package ui

import "strings"

// Wrap breaks text between words so that no line is wider than width cells; 0 is
// no limit. A word that is wider stays whole, and no word is broken at a hyphen:
// flags and paths are there to be copied. Lines of the text stay lines and keep
// their own indentation; what is broken off begins with indent.
func Wrap(text string, width int, indent string) string {
	if width <= 0 {
		return text
	}
	var b strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		if Cells(line) <= width {
			b.WriteString(line)
			continue
		}
		own := leading(line)
		b.WriteString(own)
		wrapLine(&b, strings.Fields(line), width, len(own), own+indent, "")
	}
	return b.String()
}

// leading is what a line is indented with.
func leading(line string) string { return line[:len(line)-len(strings.TrimLeft(line, " "))] }

// wrapLine writes words from a column on. A line that goes on ends with end.
func wrapLine(b *strings.Builder, words []string, width, column int, indent, end string) {
	empty := true // has no word yet
	for i, word := range words {
		wide := Cells(word)
		needs := wide
		if i < len(words)-1 {
			needs += Cells(end)
		}
		switch {
		case empty:
		case column+1+needs <= width:
			b.WriteByte(' ')
			column++
		default:
			b.WriteString(end + "\n" + indent)
			column = len(indent)
		}
		b.WriteString(word)
		column, empty = column+wide, false
	}
}

// BreakCommand breaks a command between its words so that it fits a width and can
// still be copied: a line that goes on ends with a backslash.
func BreakCommand(command string, width int, indent string) string {
	if width <= 0 || Cells(command) <= width {
		return command
	}
	var b strings.Builder
	wrapLine(&b, shellWords(command), width, 0, indent, ` \`)
	return b.String()
}

// shellWords splits a command where the shell does, quotes left in place.
func shellWords(command string) (words []string) {
	var quote rune
	begin := 0
	for i, c := range command {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ' ':
			if begin < i {
				words = append(words, command[begin:i])
			}
			begin = i + 1
		}
	}
	if begin < len(command) {
		words = append(words, command[begin:])
	}
	return words
}

// rightLeast is the least width of a column of explanations; with less they go
// below what they explain.
const rightLeast = 24

// Reflow fits help to a width: paragraphs are filled again. An indented line stays
// a line; where it has two columns, two spaces or more apart, the right one is
// wrapped below itself.
func Reflow(text string, width int) string {
	var b strings.Builder
	var paragraph []string
	end := func() {
		if len(paragraph) > 0 {
			b.WriteString(Wrap(strings.Join(paragraph, " "), width, "") + "\n")
			paragraph = nil
		}
	}
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		line = strings.TrimRight(line, " ")
		switch {
		case line == "":
			end()
			b.WriteByte('\n')
		case line[0] == ' ':
			end()
			b.WriteString(reflowRow(line, width) + "\n")
		default:
			paragraph = append(paragraph, line)
		}
	}
	end()
	return b.String()
}

func reflowRow(line string, width int) string {
	if Cells(line) <= width {
		return line
	}
	own := leading(line)
	left, right, columns := strings.Cut(line[len(own):], "  ")
	if !columns {
		return Wrap(line, width, "    ")
	}
	right = strings.TrimLeft(right, " ")
	column := len(line) - len(right)
	return Row(own+left, column, right, width)
}

// Row is a line of two columns: left, and from a column on right, wrapped below
// itself. Where that leaves too little room, or left reaches into it, right
// begins on the next line.
func Row(left string, column int, right string, width int) string {
	if width > 0 && column+rightLeast > width {
		indent := leading(left) + "    "
		var b strings.Builder
		b.WriteString(left + "\n" + indent)
		wrapLine(&b, strings.Fields(right), width, len(indent), indent, "")
		return b.String()
	}
	indent := strings.Repeat(" ", column)
	begin := Pad(left, column)
	if Cells(left) > column-2 {
		begin = left + "\n" + indent
	}
	var b strings.Builder
	b.WriteString(begin)
	if width <= 0 {
		return begin + right
	}
	wrapLine(&b, strings.Fields(right), width, column, indent, "")
	return b.String()
}
