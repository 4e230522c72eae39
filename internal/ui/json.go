package ui

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
)

// WriteJSON writes one object on a line of its own. Numbers that are not whole are rounded to what they mean, see
// docs/json.md.
func WriteJSON(w io.Writer, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(roundNumbers(b.Bytes()))
	return err
}

// roundNumbers rounds the numbers of JSON that json.Encoder has written. Whole ones stay.
func roundNumbers(b []byte) []byte {
	out := make([]byte, 0, len(b))
	key := ""
	for i := 0; i < len(b); {
		end := i + 1
		switch c := b[i]; {
		case c == '"':
			for end < len(b) && b[end] != '"' {
				if b[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(b))
			if end < len(b) && b[end] == ':' {
				key = string(b[i+1 : end-1])
			}
		case c == '-' || c >= '0' && c <= '9':
			for end < len(b) && strings.IndexByte("0123456789+-.eE", b[end]) >= 0 {
				end++
			}
			if bytes.ContainsAny(b[i:end], ".e") {
				if x, err := strconv.ParseFloat(string(b[i:end]), 64); err == nil {
					out = append(out, rounded(x, key)...)
					i = end
					continue
				}
			}
		}
		out = append(out, b[i:end]...)
		i = end
	}
	return out
}

// rounded writes a number with three decimals at the most and seven digits, but with three digits at the least. Rates and
// percentages have one decimal at the most.
func rounded(x float64, key string) string {
	decimals := 3
	switch {
	case key == "value": // a setting, as a person wrote it
		return strconv.FormatFloat(x, 'f', -1, 64)
	case key == "success_rate": // one failure in a million is no 1
		return strconv.FormatFloat(math.Floor(x*1e6)/1e6, 'f', -1, 64)
	case strings.HasSuffix(key, "_percent") || strings.HasSuffix(key, "_per_hour") || strings.HasPrefix(key, "rate_"):
		decimals = 1
	}
	if x == 0 {
		return "0"
	}
	digits := int(math.Floor(math.Log10(math.Abs(x)))) + 1 // before the point
	decimals = max(min(decimals, 7-digits), 3-digits, 0)
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
