package browse

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

const tinyGIF = "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"

// TestOnlyPhotos serves files of the photo folder alone, whatever paths and links there are, and only as pictures.
func TestOnlyPhotos(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret.gif")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(secret, []byte(tinyGIF), 0o644))
	rel := strings.Repeat("../", 30) + strings.TrimPrefix(secret, "/")
	p := newTestPage(t)
	files := map[string]int{ // path → status
		"good.gif": 200, "in/side.gif": 200, "inside-link.gif": 200, "absolute-inside.gif": 200, "a\nb\"c'd.gif": 200, "-n.gif": 200, "\xff.gif": 200,
		"out-link.gif": 403, "folder-out/secret.gif": 403, rel: 403, "missing.gif": 404, "dead-link.gif": 404, "in": 404, "pipe.gif": 404,
		"in/../../" + filepath.Base(outside) + "/secret.gif": 403,
		"page.html.jpg": 404, "drawing.jpg": 404, "script.jpg": 404,
	}
	must(os.Mkdir(filepath.Join(p.photos, "in"), 0o755))
	for name, content := range map[string]string{"good.gif": tinyGIF, "in/side.gif": tinyGIF, "a\nb\"c'd.gif": tinyGIF, "-n.gif": tinyGIF, "\xff.gif": tinyGIF,
		"page.html.jpg": "<!doctype html><script>alert(1)</script>", "drawing.jpg": `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "script.jpg": "alert(1)"} {
		must(os.WriteFile(filepath.Join(p.photos, name), []byte(content), 0o644))
	}
	for name, to := range map[string]string{"inside-link.gif": "in/side.gif", "absolute-inside.gif": filepath.Join(p.photos, "good.gif"), "out-link.gif": secret, "folder-out": outside, "dead-link.gif": "nowhere"} {
		must(os.Symlink(to, filepath.Join(p.photos, name)))
	}
	makePipe(t, filepath.Join(p.photos, "pipe.gif"))
	for name := range files {
		p.write(tracker.Record{Path: name, Description: "words"})
	}
	for name, want := range files {
		for _, kind := range []string{"picture", "thumbnail"} {
			a, err := p.visitor.Get(p.s.base() + "/" + kind + "/" + p.id(name))
			must(err)
			a.Body.Close()
			switch {
			case kind == "thumbnail" && want == 200: // the worker of this test makes none
			case a.StatusCode != want:
				t.Errorf("%s of %q: %d, want %d", kind, name, a.StatusCode, want)
			}
			if a.StatusCode == 200 && a.Header.Get("Content-Type") != "image/gif" {
				t.Errorf("%s of %q is served as %s", kind, name, a.Header.Get("Content-Type"))
			}
		}
	}
	// A photo that was replaced by a link since it was described.
	must(os.Remove(filepath.Join(p.photos, "good.gif")))
	must(os.Symlink(secret, filepath.Join(p.photos, "good.gif")))
	if code, _ := p.get(p.visitor, p.s.base()+"/picture/"+p.id("good.gif"), nil); code != http.StatusForbidden {
		t.Errorf("a photo that was replaced by a link: %d", code)
	}
	// Paths in place of IDs.
	for _, try := range []string{"../../../etc/passwd", "..%2f..%2fetc%2fpasswd", url.PathEscape(secret), "good.gif", "%00", "-1", "0x1", strings.Repeat("f", 400), "ffffffffffffffff"} {
		for _, kind := range []string{"picture", "thumbnail", "api/photo", "static"} {
			if code, body := p.get(p.visitor, p.s.base()+"/"+kind+"/"+try, nil); code == 200 && kind != "static" || strings.Contains(body, "GIF89a") || strings.Contains(body, "root:") {
				t.Errorf("%s/%s: %d", kind, try, code)
			}
		}
	}
}

// TestPhotoFolderGone tells why nothing is shown, also where there is no photo folder any more.
func TestPhotoFolderGone(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "words"})
	id := p.id("a.jpg")
	if err := os.Remove(p.photos); err != nil {
		t.Fatal(err)
	}
	if code, body := p.get(p.visitor, p.s.base()+"/thumbnail/"+id, nil); code != http.StatusServiceUnavailable || !strings.Contains(body, "is its disk connected?") {
		t.Errorf("%d %s", code, body)
	}
	if code, body := p.get(p.visitor, p.s.base()+"/api/photo/"+id, nil); code != 200 || !strings.Contains(body, "is its disk connected?") || !strings.Contains(body, "words") {
		t.Errorf("%d %s", code, body)
	}
}

// TestReplacedPicture: the browser asks each time, and gets the picture again only where it is another one.
func TestReplacedPicture(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.gif", Description: "words"})
	name := filepath.Join(p.photos, "a.gif")
	when := time.Unix(1_700_000_000, 100_000_000)
	put := func(content string, modified time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(name, []byte(content), 0o644), os.Chtimes(name, modified, modified)); err != nil {
			t.Fatal(err)
		}
	}
	version := ""
	get := func() (int, string) {
		t.Helper()
		r := p.request(http.MethodGet, p.s.base()+"/picture/"+p.id("a.gif"), func(r *http.Request) { r.Header.Set("If-None-Match", version) })
		a, err := p.visitor.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, _ := io.ReadAll(a.Body)
		version = a.Header.Get("ETag")
		if kept := a.Header.Get("Cache-Control"); version == "" || !strings.Contains(kept, "no-cache") {
			t.Errorf("the browser may keep it: %q, %q", version, kept)
		}
		return a.StatusCode, string(b)
	}
	put(tinyGIF, when)
	if code, body := get(); code != 200 || body != tinyGIF {
		t.Fatalf("%d %q", code, body)
	}
	if code, body := get(); code != http.StatusNotModified || body != "" {
		t.Errorf("the same: %d %q", code, body)
	}
	put(tinyGIF+"2", when) // by a program that keeps the time
	if code, body := get(); code != 200 || body != tinyGIF+"2" {
		t.Errorf("another one: %d %q", code, body)
	}
	put(tinyGIF+"3", when.Add(time.Millisecond))
	if code, body := get(); code != 200 || body != tinyGIF+"3" {
		t.Errorf("another one of the same size and second: %d %q", code, body)
	}
}

// TestSilentDisk: a disk that does not answer holds up neither the page nor, however often it is asked, the program.
func TestSilentDisk(t *testing.T) {
	f := openFolder(t.TempDir())
	f.patience = time.Millisecond
	answer, late := make(chan struct{}), make(chan int, maxLooks)
	hang := func() (int, error) { <-answer; return 7, nil }
	for range maxLooks {
		if _, err := within(f, hang, func(n int) { late <- n }); !errors.Is(err, errSilent) {
			t.Fatal(err)
		}
	}
	looked := false
	if _, err := within(f, func() (int, error) { looked = true; return 0, nil }, func(int) {}); !errors.Is(err, errSilent) || looked {
		t.Errorf("too many looks at once: %v", err)
	}
	close(answer)
	for range maxLooks {
		if n := <-late; n != 7 {
			t.Error(n)
		}
	}
	f.patience = time.Minute
	if n, err := within(f, hang, func(int) {}); n != 7 || err != nil {
		t.Errorf("when it is back: %d %v", n, err)
	}
}
