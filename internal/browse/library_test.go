package browse

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

// listed are the IDs of the photos that the page gets for a query.
func (p *testPage) listed(query string) (ids []string) {
	p.t.Helper()
	p.s.s.refreshing.last = time.Time{} // look at once
	code, body := p.get(p.visitor, p.s.base()+"/api/photos?"+query, nil)
	if code != 200 {
		p.t.Fatalf("%s: %d %s", query, code, body)
	}
	b := []byte(body)
	n := binary.LittleEndian.Uint32(b)
	var head listHead
	if err := json.Unmarshal(b[4:4+n], &head); err != nil {
		p.t.Fatal(err)
	}
	for b = b[4+n:]; len(b) > 0; b = b[13:] {
		ids = append(ids, photoID(binary.LittleEndian.Uint64(b)).String())
	}
	if len(ids) != head.Photos {
		p.t.Errorf("%s: %d photos are announced and %d come", query, head.Photos, len(ids))
	}
	return ids
}

// TestLists: each filter and order, alone and with a search.
func TestLists(t *testing.T) {
	failed := &tracker.RecordError{Kind: tracker.Unreadable, Message: "damaged"}
	p := newTestPage(t,
		tracker.Record{Path: "2023/b.jpg", Description: "a dog on the beach", Keywords: []string{"dog"}, Taken: "2023-05-31T23:59:59", Width: 400, Height: 300},
		tracker.Record{Path: "2024/a.jpg", Description: "a cat", Keywords: []string{"cat", "sofa"}, Taken: "2024-01-01T00:00:00+02:00"},
		tracker.Record{Path: "2024/in/c.jpg", Description: "dogs in snow", Keywords: []string{"dog", "snow"}},
		tracker.Record{Path: "2024x/d.jpg", Status: tracker.Failed, Error: failed},
		tracker.Record{Path: "2023/b.jpg", Status: tracker.Failed, Error: failed}, // it was described before
		tracker.Record{Path: "\xff/e.jpg", Description: "odd"},
	)
	names := map[string]string{}
	for _, path := range []string{"2023/b.jpg", "2024/a.jpg", "2024/in/c.jpg", "2024x/d.jpg", "\xff/e.jpg"} {
		names[p.id(path)] = strings.TrimSuffix(filepath.Base(path), ".jpg")
	}
	for query, want := range map[string]string{
		"":                              "a b c d e",
		"order=path":                    "b c a d e", // see below
		"order=done":                    "e d c a b",
		"folder=2024":                   "a c",
		"folder=2024%2F":                "a c",
		"folder=%22%5Cxff%22":           "e",
		"folder=20":                     "",
		"keyword=dog":                   "b c",
		"keyword=none":                  "",
		"failed=1":                      "d",
		"from=2023-05-31&to=2023-05-31": "b",
		"from=2024-01-01&to=2024-01-01": "a", // by the camera's clock
		"q=dog":                         "b c",
		"q=dog&folder=2024":             "c",
		"q=do":                          "b c",
		"q=%22dog+on%22":                "b",
		"q=dog+-snow":                   "b",
		"q=elephant":                    "",
		"q=%21%21":                      "a b c d e", // no word
	} {
		var got []string
		for _, id := range p.listed(query) {
			got = append(got, names[id])
		}
		if strings.HasPrefix(query, "q=") { // ranked
			slices.Sort(got)
		}
		if query == "order=path" {
			want = "b a c d e"
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: %q, want %q", query, text, want)
		}
	}
	for _, bad := range []string{"from=yesterday", "to=2024-13-01", "folder=%22%5Cx"} {
		if code, _ := p.get(p.visitor, p.s.base()+"/api/photos?"+bad, nil); code != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, code)
		}
	}
}

// TestGrowing shows photos that a run adds, and all others when the outputs are replaced.
func TestGrowing(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "one"})
	if n := len(p.listed("")); n != 1 {
		t.Fatal(n)
	}
	p.write(tracker.Record{Path: "b.jpg", Description: "two"}, tracker.Record{Path: "a.jpg", Description: "one again"})
	if got := p.listed("order=done"); !slices.Equal(got, []string{p.id("a.jpg"), p.id("b.jpg")}) {
		t.Error(got)
	}
	if _, body := p.get(p.visitor, p.s.base()+"/api/photo/"+p.id("a.jpg"), nil); !strings.Contains(body, "one again") {
		t.Error(body)
	}
	outputs, _ := filepath.Glob(filepath.Join(p.dir, tracker.OutputsName, "*.jsonl"))
	for _, name := range outputs {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	p.write(tracker.Record{Path: "c.jpg", Description: "three"})
	if got := p.listed(""); len(got) != 1 || got[0] != p.id("c.jpg") {
		t.Error(got)
	}
}

// TestCorrecting keeps a person's words beside the model's, finds them, and takes them back.
func TestCorrecting(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "a dog", Keywords: []string{"dog", "pet"}})
	id := p.id("a.jpg")
	send := func(body string) photoJSON {
		t.Helper()
		r, _ := http.NewRequest(http.MethodPost, p.s.base()+"/api/photo/"+id+"/correction", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", p.s.base())
		code, answer := p.do(p.visitor, r)
		var j photoJSON
		if err := json.Unmarshal([]byte(answer), &j); code != 200 || err != nil {
			t.Fatalf("%d %s", code, answer)
		}
		return j
	}
	if j := send(`{"description":"<b>Rex</b> & \"I\"\n","keywords":null}`); j.Description != `<b>Rex</b> & "I"` || j.Model.Description != "a dog" || j.Corrected == "" || !slices.Equal(j.Keywords, []string{"dog", "pet"}) {
		t.Errorf("%+v", j)
	}
	if j := send(`{"description":null,"keywords":["Rex"]}`); j.Description != "a dog" || !slices.Equal(j.Keywords, []string{"Rex"}) {
		t.Errorf("%+v", j)
	}
	for query, want := range map[string]int{"corrected=1": 1, "keyword=Rex": 1, "keyword=pet": 0} {
		if got := len(p.listed(query)); got != want {
			t.Errorf("%s: %d", query, got)
		}
	}
	// The model describes it again: the person's words stay.
	p.write(tracker.Record{Path: "a.jpg", Description: "a cat", Keywords: []string{"cat"}, Time: time.Now().Add(time.Hour)})
	if _, body := p.get(p.visitor, p.s.base()+"/api/photo/"+id, nil); !strings.Contains(body, `"keywords":["Rex"]`) {
		t.Error(body)
	}
	if got := len(p.listed("keyword=Rex")); got != 1 {
		t.Errorf("after another description: %d", got)
	}
	// Another program corrects.
	if err := tracker.Correct(p.dir, tracker.Correction{Path: "a.jpg", Keywords: []string{"elsewhere"}}); err != nil {
		t.Fatal(err)
	}
	if got := len(p.listed("keyword=elsewhere")); got != 1 {
		t.Errorf("after another program: %d", got)
	}
	if j := send(`{"description":null,"keywords":null}`); j.Corrected != "" || !slices.Equal(j.Keywords, []string{"cat"}) {
		t.Errorf("%+v", j)
	}
	if got := len(p.listed("corrected=1")) + len(p.listed("keyword=Rex")); got != 0 {
		t.Errorf("%d are still corrected", got)
	}
	for _, bad := range []string{"", "{", "[]", `{"path":"b.jpg"}`, `{"description":"` + strings.Repeat("x", 200_000) + `"}`, `{"description":"` + strings.Repeat("x", 2_000_000) + `"}`} {
		r, _ := http.NewRequest(http.MethodPost, p.s.base()+"/api/photo/"+id+"/correction", strings.NewReader(bad))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", p.s.base())
		if code, answer := p.do(p.visitor, r); code != http.StatusBadRequest {
			t.Errorf("%.20s: %d %s", bad, code, answer)
		}
	}
}

// TestCatalogue loads what was saved, and never what was damaged.
func TestCatalogue(t *testing.T) {
	p := newTestPage(t,
		tracker.Record{Path: "2024/a.jpg", Description: "x", Keywords: []string{"k", "l"}, Width: 4, Height: 3, Taken: "2024-05-31T10:00:00"},
		tracker.Record{Path: "\xff\n.jpg", Status: tracker.Failed, Error: &tracker.RecordError{Kind: tracker.Crash}},
		tracker.Record{Path: "c.jpg", Description: "y"})
	if err := tracker.Correct(p.dir, tracker.Correction{Path: "c.jpg", Description: "z", Keywords: []string{"mine"}}); err != nil {
		t.Fatal(err)
	}
	l := newLibrary(p.dir)
	if err := l.update(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "sub", "catalogue")
	if err := l.save(name); err != nil {
		t.Fatal(err)
	}
	same := func(a, b *library) bool {
		text := func(l *library) string {
			var s []string
			for _, e := range l.photos {
				var words []string
				for _, w := range e.keywords {
					words = append(words, l.words[w])
				}
				c := *e
				c.keywords = nil
				s = append(s, fmt.Sprintf("%+v %v", c, words))
			}
			return strings.Join(s, "\n")
		}
		return text(a) == text(b)
	}
	again := newLibrary(p.dir)
	if err := again.load(name); err != nil || !same(l, again) {
		t.Fatalf("%v: %v", err, again.photos)
	}
	// A correction that was taken back meanwhile, and a new photo.
	if err := tracker.Correct(p.dir, tracker.Correction{Path: "c.jpg"}); err != nil {
		t.Fatal(err)
	}
	p.write(tracker.Record{Path: "d.jpg", Description: "d"})
	if err := again.update(); err != nil || len(again.photos) != 4 || again.byPath["c.jpg"].corrected || len(again.byPath["c.jpg"].keywords) != 0 {
		t.Errorf("%v: %+v", err, again.byPath["c.jpg"])
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for _, damaged := range [][]byte{b[:i], append(append(slices.Clone(b[:i]), b[i]^0x20), b[i+1:]...)} {
			if err := os.WriteFile(name, damaged, 0o644); err != nil {
				t.Fatal(err)
			}
			bad := newLibrary(p.dir)
			if err := bad.load(name); err == nil || len(bad.photos) > 0 {
				t.Fatalf("damaged at byte %d of %d: it is loaded", i, len(b))
			}
		}
	}
	// Bytes that no checksum protects must not crash it either.
	body := bytes.TrimPrefix(b, []byte(catalogueLayout))[4:]
	for i := range body {
		for _, x := range []byte{0x80, 0xff, 1} {
			damaged := slices.Clone(body)
			damaged[i] ^= x
			_ = newLibrary(p.dir).parse(damaged)
		}
	}
}

// TestLiveQuery completes only what a person may still be typing.
func TestLiveQuery(t *testing.T) {
	for text, want := range map[string]string{"": "", "  ": "", "do": "do*", "dog ": "dog ", "dog b": "dog b*", `"red c`: `"red c`, `"red car"`: `"red car"`, "cat OR": "cat OR", "犬": "犬*", "dog-": "dog-"} {
		if got := liveQuery(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
