package pool

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestPathsRoundTrip(t *testing.T) {
	for _, path := range []string{"a.jpg", "", "with \"quotes\"\n\t", "\x00\x01", "é 🐕", "\xff\xfe", "ok\xc3", "\u2028<&>", "\uFFFD",
		strings.Repeat("\xff", 4096)} {
		line, err := encodeLine(order{Job: &Job{ID: 7, Path: path, File: "0001.jpg", Attempt: 2, Isolated: true}})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Count(line, []byte("\n")) != 1 {
			t.Errorf("%q is not one line: %q", path, line)
		}
		o, err := parseOrder(line)
		if err != nil || o.Job == nil || *o.Job != (Job{7, path, "0001.jpg", 2, true}) {
			t.Errorf("%q came back as %+v: %v", path, o.Job, err)
		}
	}
	if _, err := encodeLine(order{Job: &Job{Path: strings.Repeat("x", maxLine)}}); err == nil {
		t.Error("a line without end was encoded")
	}
}

func TestInvalidReports(t *testing.T) {
	for _, line := range []string{
		"", "null", "1", "[]", "{", "{}", `{"hello":null}`,
		`{"hello":{"protocol":2},"alive":{}}`,
		`{"hello":{"protocol":"1"}}`,
		`{"result":{"id":1}}`,
		`{"result":{"id":-1,"data":1}}`,
		`{"result":{"id":1,"data":1,"failure":{"kind":"x"}}}`,
		`{"result":{"id":1,"failure":{"message":"x"}}}`,
		`{"result":{"id":1,"data":1}} trailing`,
		`{"question":{"id":1,"data":1},"alive":{}}`,
	} {
		if r, err := parseReport([]byte(line)); err == nil {
			t.Errorf("%s passed as %+v", line, r)
		}
	}
	for _, line := range []string{
		`{"alive":{}}`,
		`{"result":{"id":1,"data":null}}`,
		`{"result":{"id":1,"data":{"a":[1]},"mem":5,"later":"field"}}`,
		`{"fatal":{"kind":"","message":"m"}}`,
	} {
		if _, err := parseReport([]byte(line)); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}

func TestLineReader(t *testing.T) {
	s := lineReader(strings.NewReader("one\n\ntwo\ntorn"))
	var got []string
	for s.Scan() {
		got = append(got, s.Text())
	}
	if s.Err() != nil || strings.Join(got, "|") != "one||two|" && strings.Join(got, "|") != "one||two" {
		t.Errorf("%q %v", got, s.Err())
	}
	s = lineReader(strings.NewReader(strings.Repeat("x", maxLine+1)))
	for s.Scan() {
	}
	if s.Err() == nil {
		t.Error("a line without end was read")
	}
}

func FuzzParseOrder(f *testing.F) {
	f.Add([]byte(`{"job":{"id":1,"path":"a.jpg","attempt":1}}`))
	f.Add([]byte(`{"job":{"id":1,"path64":"/w==","isolated":true}}`))
	f.Add([]byte(`{"leave":true}`))
	f.Add([]byte(`{"leave":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		o, err := parseOrder(line)
		if err != nil {
			return
		}
		again, err := encodeLine(o)
		if err != nil {
			return
		}
		back, err := parseOrder(again)
		if err != nil || back.Leave != o.Leave || o.Job != nil && *back.Job != *o.Job {
			t.Errorf("%q came back as %q: %v", line, again, err)
		}
	})
}

func FuzzParseReport(f *testing.F) {
	f.Add([]byte(`{"hello":{"protocol":2,"version":"1","pid":3,"info":{"a":1}}}`))
	f.Add([]byte(`{"result":{"id":1,"data":{"x":"y"},"mem":5}}`))
	f.Add([]byte(`{"result":{"id":1,"failure":{"kind":"model","message":"m"}}}`))
	f.Add([]byte(`{"fatal":{"kind":"k","message":"m"}}`))
	f.Add([]byte(`{"alive":{"mem":12}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parseReport(line)
		if err != nil {
			return
		}
		if r.Result != nil && len(r.Result.Data) > 0 && !json.Valid(r.Result.Data) {
			t.Errorf("data that is no JSON: %q", r.Result.Data)
		}
		again, err := encodeLine(r)
		if err != nil {
			return
		}
		if _, err := parseReport(again); err != nil {
			t.Errorf("%q came back as %q: %v", line, again, err)
		}
	})
}

// Any path arrives unchanged.
func FuzzPath(f *testing.F) {
	f.Add("a\xff\n")
	f.Fuzz(func(t *testing.T, path string) {
		line, err := encodeLine(order{Job: &Job{Path: path}})
		if err != nil {
			t.Skip()
		}
		if o, err := parseOrder(line); err != nil || o.Job.Path != path {
			t.Errorf("%q: %v", path, err)
		}
	})
}
