package browse

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"photodesc/tracker"
)

// correct sends a correction.
func (p *testPage) correct(path, body string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.s.base()+"/api/photo/"+p.id(path)+"/correction", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", p.s.base())
	return p.do(p.visitor, r)
}

// photo is what the page shows of a photo.
func (p *testPage) photo(path string) (j photoJSON) {
	p.t.Helper()
	p.s.s.refreshing.last = time.Time{}
	_, body := p.get(p.visitor, p.s.base()+"/api/photo/"+p.id(path), nil)
	if err := json.Unmarshal([]byte(body), &j); err != nil {
		p.t.Fatalf("%v: %s", err, body)
	}
	return j
}

// TestCorrectingTwice: a correction replaces no words that the person has not seen, whoever wrote them.
func TestCorrectingTwice(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "a dog", Keywords: []string{"dog"}})
	first := p.photo("a.jpg")
	if code, body := p.correct("a.jpg", `{"description":"Rex","keywords":null,"seen":"`+first.Seen+`"}`); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	// The other window shows the words of before.
	if code, body := p.correct("a.jpg", `{"description":null,"keywords":["pet"],"seen":"`+first.Seen+`"}`); code != http.StatusConflict || !strings.Contains(body, "changed meanwhile") {
		t.Errorf("the second window: %d %s", code, body)
	}
	second := p.photo("a.jpg")
	if second.Description != "Rex" || second.Keywords[0] != "dog" {
		t.Errorf("%+v", second)
	}
	// The command line.
	if err := tracker.Correct(p.dir, tracker.Correction{Path: "a.jpg", Description: "Rex the second"}); err != nil {
		t.Fatal(err)
	}
	if code, body := p.correct("a.jpg", `{"description":null,"keywords":null,"seen":"`+second.Seen+`"}`); code != http.StatusConflict {
		t.Errorf("after another program: %d %s", code, body)
	}
	// The model: its keywords would count, and nobody has seen them.
	third := p.photo("a.jpg")
	p.write(tracker.Record{Path: "a.jpg", Description: "a cat", Keywords: []string{"cat"}, Time: time.Now().Add(time.Hour)})
	if code, body := p.correct("a.jpg", `{"description":"Rex the third","keywords":null,"seen":"`+third.Seen+`"}`); code != http.StatusConflict {
		t.Errorf("after another description: %d %s", code, body)
	}
	if code, body := p.correct("a.jpg", `{"description":"Rex the third","keywords":null,"seen":"`+p.photo("a.jpg").Seen+`"}`); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	for _, empty := range []string{"", " ", "\n\t"} {
		body, _ := json.Marshal(map[string]string{"description": empty})
		if code, answer := p.correct("a.jpg", string(body)); code != http.StatusBadRequest || p.photo("a.jpg").Description != "Rex the third" {
			t.Errorf("%q: %d %s", empty, code, answer)
		}
	}
}

// TestCorrectingReplaced: words for a photo that was replaced and not yet described again are those of its new picture.
func TestCorrectingReplaced(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "a dog", File: &tracker.PhotoFile{Size: 1, Picture: "old"}})
	now := &tracker.PhotoFile{Size: 2, Picture: "new"}
	p.s.s.o.FileNow = func(tracker.Photo) *tracker.PhotoFile { return now }
	if code, body := p.correct("a.jpg", `{"description":"my cat"}`); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	p.write(tracker.Record{Path: "a.jpg", Description: "a cat", File: now, Time: time.Now().Add(time.Hour)})
	if got := p.photo("a.jpg").Description; got != "my cat" {
		t.Errorf("the description is %q", got)
	}
}
