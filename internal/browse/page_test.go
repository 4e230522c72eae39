package browse

import (
	"strings"
	"testing"
)

func TestPageOf(t *testing.T) {
	for root, want := range map[string][2]string{
		"":               {"<title>photodesc</title>", `title=""`},
		"/photos/2024":   {"<title>2024 · photodesc</title>", `title="/photos/2024"`},
		"/a/<b>\"'\xff":  {"<title>&lt;b&gt;&#34;&#39;\ufffd · photodesc</title>", `title="/a/&lt;b&gt;&#34;&#39;` + "\ufffd\""},
		"/a/{{root}} %s": {"<title>{{root}} %s · photodesc</title>", `title="/a/{{root}} %s"`},
	} {
		text := pageOf(root)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%q: no %s", root, w)
			}
		}
		if folder := strings.Contains(text, `<span class="brand-folder">`); folder != (root != "") {
			t.Errorf("%q: the folder is shown: %v", root, folder)
		}
		if strings.Contains(strings.ReplaceAll(text, "{{root}}", ""), "{{") {
			t.Errorf("%q leaves a placeholder", root)
		}
	}
}
