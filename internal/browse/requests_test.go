package browse

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"photodesc/internal/ui"
	"photodesc/tracker"
)

// ask sends a request of the page.
func (p *testPage) ask(body string, headers ...string) (int, string) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.s.base()+"/api/requests", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", p.s.base())
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return p.do(p.visitor, r)
}

func (p *testPage) waiting() (list string) {
	p.t.Helper()
	all, err := tracker.ReadRequests(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, q := range all.Waiting() {
		list += fmt.Sprintf("%s/%s/%s ", q.Path, q.Prompt, q.Model)
	}
	return list
}

func TestAsking(t *testing.T) {
	failed := tracker.Record{Path: "b\xff\n.jpg", Status: tracker.Failed, Error: &tracker.RecordError{Kind: tracker.Timeout, Message: "slow"}}
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "a dog"}, failed)
	p.s.s.o.RequestsCommand = ui.RequestsCommand
	code, body := p.ask(`{"ids":["` + p.id("a.jpg") + `"],"prompt":"short","model":"m"}`)
	var got askedJSON
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != 200 || got.Changed != 1 || !strings.Contains(got.Command, "run --requested --model m") {
		t.Errorf("%d %s", code, body)
	}
	q := p.photo("a.jpg").Request
	if q == nil || q.State != tracker.RequestWaiting || q.Prompt != "short" || q.Model != "m" || q.Command == "" {
		t.Errorf("%+v", q)
	}
	// All that a view shows.
	if code, body := p.ask(`{"view":"failed=1","prompt":"What is this?"}`); code != 200 || !strings.Contains(body, `"changed":1`) {
		t.Errorf("%d %s", code, body)
	}
	if got, want := p.waiting(), "a.jpg/short/m b\xff\n.jpg/What is this?/ "; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// Taken back, and failed.
	if code, body := p.ask(`{"ids":["` + p.id("a.jpg") + `"],"cancel":true}`); code != 200 || p.photo("a.jpg").Request != nil {
		t.Errorf("%d %s", code, body)
	}
	all, _ := tracker.ReadRequests(p.dir)
	if err := tracker.AnswerRequests(p.dir, tracker.RequestAnswer{ID: all.Waiting()[0].ID, Done: tracker.RequestFailed, Why: "it <b>hangs</b>"}); err != nil {
		t.Fatal(err)
	}
	if q := p.photo(failed.Path).Request; q == nil || q.State != tracker.RequestFailed || q.Why != "it <b>hangs</b>" {
		t.Errorf("%+v", q)
	}
	// What is refused, with nothing written.
	id := p.id("a.jpg")
	for _, c := range []struct {
		name, body string
		code       int
	}{
		{"no JSON", "ids=" + id, 400},
		{"unknown field", `{"ids":["` + id + `"],"path":"/etc/passwd"}`, 400},
		{"a path", `{"ids":["../../etc/passwd"]}`, 400},
		{"no photo", `{"ids":["1"]}`, 400},
		{"nothing", `{}`, 400},
		{"a misspelt prompt", `{"ids":["` + id + `"],"prompt":"shrt"}`, 400},
		{"a long prompt", `{"ids":["` + id + `"],"prompt":"` + strings.Repeat("a b ", 1500) + `"}`, 400},
		{"no date", `{"view":"from=yesterday"}`, 400},
		{"too much", `{"prompt":"` + strings.Repeat("x", maxAsked) + `"}`, 400},
	} {
		if code, body := p.ask(c.body); code != c.code || body == "" {
			t.Errorf("%s: %d %s", c.name, code, body)
		}
	}
	body = `{"ids":["` + id + `"]}`
	if code, _ := p.ask(body, "Content-Type", "text/plain"); code != http.StatusUnsupportedMediaType {
		t.Error("a form of another page", code)
	}
	if code, _ := p.ask(body, "Origin", "http://evil.example"); code != http.StatusForbidden {
		t.Error("another page", code)
	}
	if got := p.waiting(); got != "" {
		t.Errorf("%q was written", got)
	}
}
