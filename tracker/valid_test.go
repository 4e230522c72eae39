package tracker

import (
	"encoding/json"
	"strings"
	"testing"
)

func FuzzValidJSON(f *testing.F) {
	for _, s := range []string{
		``, ` `, `{}`, `[]`, `{"a":1}`, `{"a":[1,-2.5e+3,true,false,null,{"b":"c"}]} `, `{"a" : "\u00e9\n\"" , "b":0}`,
		`01`, `-`, `1.`, `1e`, `"\x"`, `"\u12"`, `{"a"}`, `{"a":1,}`, `[1,]`, `{,}`, "\"\x01\"", "\"a\x1fbcdefgh\"", `nul`, `"abc`,
		"\"\xc3\xa9\xe2\x80\xa8 \x7f\"", `[[[[]]]]`, `1 2`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, want := validJSON(b), json.Valid(b)
		if got != want && strings.Count(string(b), "[")+strings.Count(string(b), "{") <= maxDepth {
			t.Fatalf("%q: %v, json.Valid says %v", b, got, want)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	text, _ := okRecord(millionPath(7)).appendLine(nil)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := parseOutcome(text); err != nil {
			b.Fatal(err)
		}
	}
}
