package gallery

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func spoolOf(t testing.TB, photos ...Photo) *Spool {
	t.Helper()
	dir := t.TempDir()
	s, err := NewSpool(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, p := range photos {
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Sort(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	return s
}

func page(t testing.TB, g *Gallery, n int) string {
	t.Helper()
	var b bytes.Buffer
	err := g.Write(&b, n, func(i int, p Photo) (Picture, error) {
		if bytes.HasSuffix(p.Path, []byte("none.jpg")) {
			return Picture{Missing: "it is <cut> short"}, nil
		}
		return Picture{Source: fmt.Sprintf("pictures/%d.jpg", i), Width: 400, Height: 300}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSpoolOrder(t *testing.T) {
	paths := []string{"z.jpg", "a.jpg", "a/z.jpg", "a/b/c.jpg", "a b/c.jpg", "b/a.jpg", "\xff.jpg", "a/a.jpg", "é/犬.jpg"}
	var photos []Photo
	for _, p := range paths {
		photos = append(photos, Photo{Path: []byte(p), Description: "of " + p})
	}
	s := spoolOf(t, photos...)
	var got []string
	for i := range s.Len() {
		p, err := s.Photo(i)
		if err != nil || p.Description != strings.ToValidUTF8("of "+string(p.Path), "\ufffd") {
			t.Errorf("%q: %q, %v", p.Path, p.Description, err)
		}
		got = append(got, string(p.Path))
	}
	want := []string{"a.jpg", "z.jpg", "\xff.jpg", "a/a.jpg", "a/z.jpg", "a/b/c.jpg", "a b/c.jpg", "b/a.jpg", "é/犬.jpg"}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestPages(t *testing.T) {
	var photos []Photo
	for i := range 10*PerPage + 1 {
		photos = append(photos, Photo{Path: fmt.Appendf(nil, "%02d/%05d.jpg", i/PerPage/3, i), Description: fmt.Sprintf("Photo %d.", i)})
	}
	g := &Gallery{Title: "Photos", Photos: spoolOf(t, photos...)}
	if g.Pages() != 11 {
		t.Fatalf("%d pages", g.Pages())
	}
	seen := 0
	for n := 1; n <= g.Pages(); n++ {
		seen += strings.Count(page(t, g, n), "<figure id=")
	}
	if seen != len(photos) {
		t.Errorf("%d of %d photos", seen, len(photos))
	}
	text := page(t, g, 6)
	numbers := regexp.MustCompile(`(?s)<nav.*?</nav>`).FindString(text)
	links := regexp.MustCompile(`>([^<]+)</(?:a|span)>`).FindAllStringSubmatch(numbers, -1)
	var got []string
	for _, l := range links {
		got = append(got, l[1])
	}
	if want := []string{"1", "…", "4", "5", "6", "7", "8", "…", "11"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if !strings.Contains(numbers, `<a href="page-6.html" aria-current="page">`) || !strings.Contains(numbers, `<a href="index.html">`) {
		t.Error(numbers)
	}
	first := page(t, g, 1)
	if !strings.Contains(first, `<a href="page-4.html#`+folderID("01")+`"><bdi>01</bdi></a>`) {
		t.Error("folder 01 is not on page 4")
	}
	if n := strings.Count(first, "<li><a href="); n != 4 {
		t.Errorf("the first page lists %d folders, want 4", n)
	}
	if !strings.Contains(page(t, g, 4), `<h2 id="`+folderID("01")+`">`) {
		t.Error("page 4 has no heading of folder 01")
	}
	// On the edges of a page there is no photo before or after.
	if last := page(t, g, 11); strings.Contains(last, `href="#p2000"`) || strings.Contains(last, `href="#p2002"`) {
		t.Error("the last page leads to photos of others")
	}
	g.OnePage = true
	if n := strings.Count(page(t, g, 1), "<figure id="); g.Pages() != 1 || n != len(photos) {
		t.Errorf("one page has %d photos", n)
	}
}

func TestNoPhotos(t *testing.T) {
	g := &Gallery{Title: "None", Photos: spoolOf(t)}
	if text := page(t, g, 1); g.Pages() != 1 || !strings.Contains(text, "There are no photos here.") {
		t.Error(text)
	}
}

// The page's own style and script are those that its policy allows.
func TestPolicy(t *testing.T) {
	text := page(t, &Gallery{Title: "x", Photos: spoolOf(t)}, 1)
	policy := html.UnescapeString(regexp.MustCompile(`Policy" content="([^"]*)"`).FindStringSubmatch(text)[1])
	for _, tag := range []string{"style", "script"} {
		inside := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(text)[1]
		sum := sha256.Sum256([]byte(inside))
		if want := tag + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
			t.Errorf("%s does not have %s", policy, want)
		}
	}
}

func TestEscaped(t *testing.T) {
	for _, text := range hostile {
		checkEscaped(t, text)
	}
}

var hostile = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</title></style></script><b>", "{{.}} & 'single'", "javascript:alert(1)", "new\nline", "\u202edetrevni", "\x00\xff", "<!--",
}

func FuzzEscaped(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkEscaped(t, text) })
}

var tag = regexp.MustCompile(`<[a-zA-Z!/][^\s>]*`)

// checkEscaped looks for the same tags whatever the texts are.
func checkEscaped(t *testing.T, text string) {
	t.Helper()
	tags := func(text string) []string {
		path := []byte(strings.ReplaceAll(text, "/", "") + "/" + strings.ReplaceAll(text, "/", "") + "none.jpg")
		g := &Gallery{Title: text, Photos: spoolOf(t, Photo{Path: path, Description: text, Keywords: []string{text}, Facts: text + "."})}
		return tag.FindAllString(page(t, g, 1), -1)
	}
	if got, want := tags(text), tags("plain"); !slices.Equal(got, want) {
		t.Errorf("%q makes %q\nwant %q", text, got, want)
	}
}
