package markup

import (
	"errors"
	"html"
	"strings"
	"testing"
)

func TestPutf(t *testing.T) {
	var b strings.Builder
	w := NewWriter(&b)
	w.Putf(`<p class="%s">%s</p>`, `"><script>`, "<b>&amp;'\x00'</b>")
	w.Putf(`<i>%d%v</i>`, 7, errors.New("a < b"))
	w.Raw("<br>")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), `<p class="&#34;&gt;&lt;script&gt;">&lt;b&gt;&amp;amp;&#39;`+"\ufffd"+`&#39;&lt;/b&gt;</p><i>7a &lt; b</i><br>`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, text := range []string{"", "plain", `<>&"'`, "&lt;", "犬", "\xff"} {
		if got := html.UnescapeString(Escape(text)); got != text {
			t.Errorf("%q was %q", got, text)
		}
	}
}

func TestErrors(t *testing.T) {
	w := NewWriter(failing{})
	w.Raw(strings.Repeat("x", 1<<16))
	w.Putf("y")
	if err := w.Close(); err != errFull {
		t.Error(err)
	}
}

var errFull = errors.New("disk is full")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errFull }
