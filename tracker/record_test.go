package tracker

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestRecordLine(t *testing.T) {
	r := okRecord("a/<b>&.jpg")
	r.Description = "A \"sign\"\nsays <50%> & more"
	want := `{"path":"a/<b>&.jpg","status":"ok","settings":"0123456789ab","description":"A \"sign\"\nsays <50%> & more","finish":"stop",` +
		`"model":"smolvlm","prompt":"Describe this photo in a few sentences.","width":512,"height":384,"tiles":13,` +
		`"prompt_tokens":870,"tokens":64,"seconds":{"decode":0.012,"encode":1.25,"prompt":0.5,"generate":2,"total":3.8},` +
		`"attempts":1,"time":"2025-11-23T14:30:22Z"}` + "\n"
	if got := line(t, r); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	r.Keywords, r.Raw, r.Blank = []string{"sign", "50 %"}, "**A sign**", 2
	r.Answers = map[string]RecordAnswer{"short": {Prompt: "Short?", Text: "A sign.", Finish: FinishStop, Tokens: 3}}
	want = strings.Replace(want, `more","finish"`, `more","keywords":["sign","50 %"],"raw":"**A sign**","finish"`, 1)
	want = strings.Replace(want, `"tokens":64,`, `"tokens":64,"answers":{"short":{"prompt":"Short?","text":"A sign.","finish":"stop","tokens":3}},`, 1)
	want = strings.Replace(want, `"attempts":1,`, `"attempts":1,"blank":2,`, 1)
	got := line(t, r)
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if back, err := parseRecord([]byte(got[:len(got)-1])); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("%+v came back as %+v, %v", r, back, err)
	}
	if got := line(t, failedRecord("x", TooLarge)); !strings.HasSuffix(got,
		`"error":{"kind":"too_large","message":"it did not work: <too_large>"}}`+"\n") {
		t.Error(got)
	}
}

func TestRecordRefused(t *testing.T) {
	noError := failedRecord("x", Crash)
	noError.Error = nil
	withError := okRecord("x")
	withError.Error = &RecordError{Kind: Crash}
	for _, r := range []Record{{}, {Path: "x"}, {Path: "x", Status: "good"}, noError, withError, failedRecord("x", "bad luck"), okRecord("")} {
		if b, err := r.appendLine([]byte("before")); err == nil || string(b) != "before" {
			t.Errorf("%+v gave %q", r, b)
		}
	}
}

func TestPath(t *testing.T) {
	for path, want := range map[string]string{
		"a b/ü ☃😀.jpg":     "a b/ü ☃😀.jpg",
		` lead and trail `: ` lead and trail `,
		`it's "so".jpg`:    `it's "so".jpg`,
		`"quoted"`:         `"\"quoted\""`,
		"new\nline":        `"new\nline"`,
		"cr\r":             `"cr\r"`,
		"\xff\xfe.jpg":     `"\xff\xfe.jpg"`,
		"c1\u0085":         `"c1\u0085"`,
		"\ufeffbom":        `"\ufeffbom"`,
		"\ufffd":           "\ufffd",
		`back\slash`:       `back\slash`,
		"":                 `""`,
	} {
		if got := EncodePath(path); got != want {
			t.Errorf("%q: got %s, want %s", path, got, want)
		}
		if got, err := DecodePath(want); got != path || err != nil {
			t.Errorf("%s: got %q, %v", want, got, err)
		}
	}
	for _, text := range []string{"", `"`, `"a`, `"a"`, `"\x41\n"`, "a\x00b", "\xff", `"a\n"b`} {
		if got, err := DecodePath(text); err == nil {
			t.Errorf("%q gave %q", text, got)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"a.jpg", "", "\"", "\n", "\xff", "\ufeff", "ü", "\u2028", "a\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		text := EncodePath(path)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || text == "" || strings.HasPrefix(text, byteOrderMark) {
			t.Fatalf("%q", text)
		}
		if back, err := DecodePath(text); back != path || err != nil {
			t.Fatalf("%q came back as %q, %v", path, back, err)
		}
		// Whatever can be decoded has one spelling only.
		if decoded, err := DecodePath(path); err == nil && EncodePath(decoded) != path {
			t.Fatalf("%q is a second spelling of %q", path, decoded)
		}
	})
}

func FuzzRecord(f *testing.F) {
	f.Add("a.jpg", "A dog.", "smolvlm", 1.5, false)
	f.Add("a\n\xff", "\x00\u2028<&>\xff", "", 0.0, true)
	f.Fuzz(func(t *testing.T, path, description, model string, seconds float64, failed bool) {
		r := okRecord(path)
		if failed {
			r = failedRecord(path, Timeout)
			r.Error.Message = description
		} else {
			r.Description = description
		}
		r.Model, r.Seconds.Total = model, seconds
		if len(description)%2 == 1 {
			r.Settings = "" // not as this package writes lines
		}
		b, err := r.appendLine(nil)
		if err != nil {
			if path != "" && seconds-seconds == 0 {
				t.Fatal(err)
			}
			return
		}
		if bytes.IndexByte(b, '\n') != len(b)-1 {
			t.Fatalf("not one line: %q", b)
		}
		if o, err := parseOutcome(b[:len(b)-1]); err != nil || string(o.settingsID) != r.Settings {
			t.Fatalf("%q: settingsID %q, want %q, %v", b, o.settingsID, r.Settings, err)
		}
		back, err := parseRecord(b[:len(b)-1])
		if err != nil || back.Path != path {
			t.Fatalf("%q: %v", b, err)
		}
		back.Time = r.Time
		if utf8.ValidString(description) && utf8.ValidString(model) && !reflect.DeepEqual(back, r) {
			t.Fatalf("%+v came back as %+v", r, back)
		}
	})
}

// FuzzResultLine checks the quick reading of lines against the thorough one.
func FuzzResultLine(f *testing.F) {
	for _, r := range []Record{okRecord("a.jpg"), okRecord("a\n"), okRecord("ü"), okRecord("a\\b"), failedRecord("x", Model)} {
		b, _ := r.appendLine(nil)
		f.Add(b[:len(b)-1])
	}
	f.Add([]byte(`{"path":"a","status":"ok","path":"b"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		parseFigures(b)
		o, err := parseOutcome(b)
		if err != nil {
			return
		}
		if !json.Valid(b) || !utf8.Valid(b) || o.key != keyOf(o.path) {
			t.Fatalf("%q was taken for %+v", b, o)
		}
		if r, err := parseRecord(b); err == nil && bytes.Count(b, []byte(`"`)) < 12 && strings.Count(strings.ToLower(string(b)), "path") == 1 && r.Path != string(o.path) {
			t.Fatalf("%q: %q, thoroughly %q", b, o.path, r.Path)
		}
	})
}

// Records are read as encoding/json reads them.
func FuzzParseRecord(f *testing.F) {
	full := okRecord("a/b\"c\xff.jpg")
	full.Keywords, full.Answers = []string{"a", "é\n"}, map[string]RecordAnswer{"short": {Prompt: "p", Text: "t\u2028", Tokens: 3}}
	full.File, full.Taken, full.Place = &PhotoFile{Size: 3, ModTime: testTime}, "2019-07-14T12:30:05", &PhotoPlace{Latitude: new(48.5), Longitude: new(-2.25), City: "Brest"}
	for _, r := range []Record{full, failedRecord("x", Crash)} {
		text, err := r.Line()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text[:len(text)-1])
	}
	for _, s := range []string{
		`{"path":"a","status":"ok","keywords":null,"answers":{"x":null},"error":null,"time":"2025-11-23T14:30:22.123+05:30"}`,
		`{"path":"a","status":"ok","path":"b","tokens":1e2}`, `{"path":"\ud83d\ude00\ud83d","status":"ok","seconds":{"total":1E-3}}`,
		`{"path":1,"status":"ok"}`, `{"path":"a","status":"ok","time":"yesterday"}`, `[]`, `null`, `{"path":"a","status":"ok"}x`, `{"path":"a","status":"ok","width":1.5}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var want Record
		err := json.Unmarshal(line, &want)
		got, gotErr := parseRecord(line)
		if !utf8.Valid(line) || err != nil || bytes.Count(line, []byte("["))+bytes.Count(line, []byte("{")) > maxDepth {
			if err != nil && gotErr == nil {
				t.Fatalf("%q is read, though %v", line, err)
			}
			return
		}
		path, err := DecodePath(want.Path)
		if err != nil || checkRead(path, want.Status) != nil {
			if gotErr == nil {
				t.Fatalf("%q is read", line)
			}
			return
		}
		want.Path = path
		if gotErr != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %+v, %v, want %+v", line, got, gotErr, want)
		}
	})
}
