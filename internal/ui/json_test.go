package ui

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
)

func TestRoundNumbers(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":0.10700000077486038}`:                       `{"a":0.107}`,
		`{"a":[1,2.5,-3.00049,1e-07,1.25e+21,0]}`:         `{"a":[1,2.5,-3,0.0000001,1250000000000000000000,0]}`,
		`{"a":12345678.912,"b":345678.123456}`:            `{"a":12345679,"b":345678.1}`,
		`{"a":0.00012345,"b":0.9996}`:                     `{"a":0.000123,"b":1}`,
		`{"cpu_percent":41.237,"rate_overall":0.042}`:     `{"cpu_percent":41.2,"rate_overall":0.042}`,
		`{"success_rate":0.9999997,"value":0.123456}`:     `{"success_rate":0.999999,"value":0.123456}`,
		`{"a\":1.23456":"2.34567\\","b":123456789012345}`: `{"a\":1.23456":"2.34567\\","b":123456789012345}`,
		`{"2026-11-26T17:44:13.123456Z":"1.23456"}`:       `{"2026-11-26T17:44:13.123456Z":"1.23456"}`,
	} {
		if got := string(roundNumbers([]byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func FuzzRoundNumbers(f *testing.F) {
	f.Add(0.1, "a")
	f.Add(-1e300, `"1.5`)
	f.Add(5e-324, "\\")
	f.Fuzz(func(t *testing.T, x float64, s string) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		in := map[string]any{"x": x, "s": s, "list": []any{x, s}}
		var b bytes.Buffer
		if err := WriteJSON(&b, in); err != nil {
			t.Fatal(err)
		}
		var out, exact map[string]any
		if err := json.Unmarshal(b.Bytes(), &out); err != nil {
			t.Fatalf("%s: %v", b.Bytes(), err)
		}
		plain, _ := json.Marshal(in)
		if err := json.Unmarshal(plain, &exact); err != nil {
			t.Fatal(err)
		}
		if out["s"] != exact["s"] {
			t.Errorf("%q became %q", exact["s"], out["s"])
		}
		if got := out["x"].(float64); math.Abs(got-x) > math.Abs(x)*0.005+1e-323 {
			t.Errorf("%v became %v", x, got)
		}
	})
}
