// Package markup writes HTML pages whose values stand between tags and in quoted attributes. html/template could do that, too, but
// it calls methods by names that are known only when it runs: a program that contains it keeps every exported method of
// every type, here 6 MB of 54.
package markup

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "\x00", "\ufffd")

// Escape returns text that can stand between tags and in a quoted attribute. An address in an attribute needs more: its scheme.
func Escape(text string) string { return escaper.Replace(text) }

// Writer writes a page.
type Writer struct{ b *bufio.Writer }

// NewWriter returns a writer to w. Close must be called at the end.
func NewWriter(w io.Writer) *Writer { return &Writer{bufio.NewWriter(w)} }

// Putf writes markup as fmt.Printf would. Each of its values is escaped; attributes must be in double quotes.
func (w *Writer) Putf(markup string, values ...any) {
	for i, value := range values {
		switch value := value.(type) {
		case int:
		case string:
			values[i] = Escape(value)
		default:
			values[i] = Escape(fmt.Sprint(value))
		}
	}
	_, _ = fmt.Fprintf(w.b, markup, values...) // Close returns the error
}

// Raw writes text as it is.
func (w *Writer) Raw(text string) { _, _ = w.b.WriteString(text) }

// Close writes what is left. It returns the first error of all that was written.
func (w *Writer) Close() error { return w.b.Flush() }
