package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func init() {
	scriptCommands["server"] = serverCommand
	scriptCommands["report"] = reportCommand
}

// server KIND: starts a server that answers OpenAI's chat protocol; SERVER is
// its address.
//
//	good      describes as many tokens as asked, in 50 ms a photo
//	wordy     the same, with a prompt of 900 tokens and 3 tokens fewer
//	onetile   the same, with a prompt of 31 tokens, 10 of them text
//	blind     takes pictures and does not look at them
//	textonly  refuses pictures
//	failing   refuses from the fifth question on
//	down      is not there
//	hanging   never answers
func serverCommand(ts *testscript.TestScript, _ bool, args []string) {
	var asked atomic.Int32
	kind := args[0]
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var ask struct {
			MaxTokens int `json:"max_tokens"`
		}
		json.Unmarshal(body, &ask)
		prompt, tokens := 10, ask.MaxTokens
		picture := bytes.Contains(body, []byte(`"image_url":{"url":"data:image/jpeg;base64,/9j/`))
		if picture && kind != "blind" {
			prompt += 60
		}
		switch {
		case kind == "hanging":
			<-r.Context().Done()
			return
		case kind == "textonly" && picture:
			http.Error(w, `{"error":{"message":"image input is not supported"}}`, http.StatusInternalServerError)
			return
		case kind == "failing" && asked.Add(1) >= 5:
			http.Error(w, `{"error":"out of memory"}`, http.StatusServiceUnavailable)
			return
		case kind == "onetile" && picture:
			prompt = 31
		case kind == "wordy" && picture:
			prompt, tokens = 900, tokens-min(3, tokens-1)
		}
		if picture {
			time.Sleep(50 * time.Millisecond)
		}
		fmt.Fprintf(w, `{"choices":[{"message":{"content":"A cat."}}],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}`, prompt, tokens)
	}))
	if kind == "down" {
		web.Close()
	}
	ts.Defer(web.Close)
	ts.Setenv("SERVER", web.URL)
}

// report EXPRESSION...: stdout is one report in JSON of which each holds:
// KEY.KEY followed by =, > or < and a number.
func reportCommand(ts *testscript.TestScript, _ bool, args []string) {
	var report any
	out := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	ts.Check(out.Decode(&report))
	if out.More() {
		ts.Fatalf("more than one JSON object")
	}
	for _, expression := range args {
		at := strings.IndexAny(expression, "=<>")
		want, err := strconv.ParseFloat(expression[at+1:], 64)
		ts.Check(err)
		value := report
		for key := range strings.SplitSeq(expression[:at], ".") {
			object, ok := value.(map[string]any)
			if value = object[key]; !ok || value == nil {
				ts.Fatalf("%s: there is no %q in %s", expression, key, ts.ReadFile("stdout"))
			}
		}
		got, ok := value.(float64)
		if list, isList := value.([]any); isList {
			got, ok = float64(len(list)), true
		}
		holds := map[byte]bool{'=': got == want, '<': got < want, '>': got > want}[expression[at]]
		if !ok || !holds {
			ts.Fatalf("%s: it is %v", expression, value)
		}
	}
}
