// Screenshot draws a terminal's screen as an SVG picture.
//
//	tmux capture-pane -e -p | go run ./tools/screenshot -columns 88 >docs/run.svg
//
// Of escape sequences it knows those of bold, faint and the sixteen colours.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Sizes in pixels.
const (
	fontSize, cellWidth, cellHeight = 14, 8.4, 18.0
	margin                          = 12.0
)

const background, foreground = "#16181d", "#d8dbe2"

var colours = map[string]string{
	"30": "#16181d", "31": "#e5717a", "32": "#8ccf7e", "33": "#e6c26c", "34": "#6fa8e8", "35": "#c58fe0", "36": "#62c3ce", "37": "#d8dbe2",
	"90": "#767c8a", "91": "#f08b93", "92": "#a5e097", "93": "#f2d58d", "94": "#8fbdf0", "95": "#d6abeb", "96": "#86d7e0", "97": "#ffffff",
}

func main() {
	columns := flag.Int("columns", 88, "width of the terminal")
	flag.Parse()
	if err := draw(os.Stdout, os.Stdin, *columns); err != nil {
		fmt.Fprintln(os.Stderr, "screenshot:", err)
		os.Exit(1)
	}
}

func draw(w io.Writer, r io.Reader, columns int) error {
	var rows []string
	s := bufio.NewScanner(r)
	for s.Scan() {
		rows = append(rows, s.Text())
	}
	if s.Err() != nil {
		return s.Err()
	}
	width, height := 2*margin+cellWidth*float64(columns), 2*margin+cellHeight*float64(len(rows))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" fill="%s"/>`+"\n", background)
	fmt.Fprintf(&b, `<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="%d" fill="%s">`+"\n", fontSize, foreground)
	var pen style
	for i, row := range rows {
		drawRow(&b, row, margin+cellHeight*(float64(i)+0.75), &pen)
	}
	b.WriteString("</g>\n</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// style is how text looks.
type style struct {
	colour      string
	bold, faint bool
}

var selectGraphic = regexp.MustCompile(`\x1b\[([0-9;]*)m`)

func (s *style) set(codes string) {
	for code := range strings.SplitSeq(codes, ";") {
		switch code {
		case "", "0":
			*s = style{}
		case "1":
			s.bold = true
		case "2":
			s.faint = true
		case "22":
			s.bold, s.faint = false, false
		case "39":
			s.colour = ""
		default:
			s.colour = colours[code]
		}
	}
}

func (s *style) attributes() (text string) {
	if s.colour != "" {
		text += fmt.Sprintf(` fill="%s"`, s.colour)
	}
	if s.bold {
		text += ` font-weight="bold"`
	}
	if s.faint {
		text += ` opacity="0.6"`
	}
	return text
}

// words are texts without two spaces in a row, which some programs would draw as one.
var words = regexp.MustCompile(`[^ ]+( [^ ]+)*`)

// drawRow draws pieces of a row. Each has its place and width, whatever the font is.
func drawRow(b *strings.Builder, row string, y float64, pen *style) {
	column := 0
	piece := func(text string) {
		for _, at := range words.FindAllStringIndex(text, -1) {
			word := text[at[0]:at[1]]
			fmt.Fprintf(b, `<text x="%.1f" y="%.1f" textLength="%.1f"%s>%s</text>`+"\n", margin+cellWidth*float64(column+ansi.StringWidth(text[:at[0]])), y,
				cellWidth*float64(ansi.StringWidth(word)), pen.attributes(), html.EscapeString(word))
		}
		column += ansi.StringWidth(text)
	}
	end := 0
	for _, m := range selectGraphic.FindAllStringSubmatchIndex(row, -1) {
		piece(row[end:m[0]])
		pen.set(row[m[2]:m[3]])
		end = m[1]
	}
	piece(row[end:])
}
