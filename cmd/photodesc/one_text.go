package main

import (
	"encoding/json"
)

// oneText is a list as one text.
func oneText(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	b, _ := json.Marshal(values) // texts have a form
	return string(b)
}
