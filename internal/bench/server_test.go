package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// serve starts a server that answers as h does and returns a client for it.
func serve(t *testing.T, path string, h http.HandlerFunc) *Server {
	t.Helper()
	web := httptest.NewServer(h)
	t.Cleanup(web.Close)
	s, err := NewServer(ServerOptions{URL: web.URL + path, Model: "m", Prompt: "What?", MaxTokens: 7, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const good = `{"choices":[{"message":{"content":"A cat."}}],"usage":{"prompt_tokens":90,"completion_tokens":7}}`

func TestWhatIsAsked(t *testing.T) {
	var path string
	var body []byte
	h := func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		body, _ = io.ReadAll(r.Body)
		io.WriteString(w, good)
	}
	for given, want := range map[string]string{
		"": "/v1/chat/completions", "/": "/v1/chat/completions", "/v1": "/v1/chat/completions", "/v1/": "/v1/chat/completions",
		"/v1/chat/completions": "/v1/chat/completions", "/ai/v1": "/ai/v1/chat/completions", "/?x=1#y": "/v1/chat/completions",
	} {
		reply, err := serve(t, given, h).Describe(context.Background(), []byte("JPEG"))
		if err != nil || reply != (Reply{90, 7}) || path != want {
			t.Errorf("%q: asked %s: %+v, %v", given, path, reply, err)
		}
	}
	var asked map[string]any
	if err := json.Unmarshal(body, &asked); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"model": "m", "max_tokens": 7., "temperature": 0., "ignore_eos": true, "cache_prompt": false} {
		if asked[key] != want {
			t.Errorf("%s is %v, want %v", key, asked[key], want)
		}
	}
	picture := `{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,` + base64.StdEncoding.EncodeToString([]byte("JPEG")) + `"}}`
	if !bytes.Contains(body, []byte(`"content":[`+picture+`,{"type":"text","text":"What?"}]`)) {
		t.Errorf("the picture is not before the text: %s", body)
	}
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "localhost:8080", "ftp://x", "http://", "http://[", "/tmp"} {
		if _, err := NewServer(ServerOptions{URL: bad}); err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:8080") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   []string
	}{
		{"no vision file", 500, `{"error":{"code":500,"message":"image input is not supported - hint: you may need to provide the mmproj"}}`,
			[]string{"500 Internal Server Error: image input is not supported", "it takes no pictures"}},
		{"several models", 404, `{"error":"model \"\" not found"}`, []string{`404 Not Found: model "" not found`}},
		{"key", 401, `{"error":{"message":"Invalid API Key"}}`, []string{"401 Unauthorized: Invalid API Key", "without a key"}},
		{"loading", 503, `{"error":{"message":"Loading model"}}`, []string{"503", "try again in a moment"}},
		{"a page", 502, "<html>\n  bad\x00 gateway</html>" + strings.Repeat("x", 999), []string{"502 Bad Gateway: <html> bad", "…"}},
		{"nothing", 500, "", []string{"answers 500 Internal Server Error"}},
		{"error with 200", 200, `{"error":"out of memory"}`, []string{"answers: out of memory"}},
		{"no JSON", 200, "hello", []string{`"hello"`, "not OpenAI's chat protocol"}},
		{"no choices", 200, `{"choices":[]}`, []string{"not OpenAI's chat protocol"}},
		{"null", 200, `null`, []string{"not OpenAI's chat protocol"}},
		{"no words", 200, `{"choices":[{"message":{"content":""}}],"usage":{"prompt_tokens":9}}`, []string{"no words at all"}},
	}
	for _, test := range tests {
		s := serve(t, "", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(test.status)
			io.WriteString(w, test.body)
		})
		_, err := s.Describe(context.Background(), []byte("JPEG"))
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		for _, want := range append(test.want, s.base) {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", test.name, err, want)
			}
		}
		if first, _, _ := strings.Cut(err.Error(), "\n"); len(first) > 400 {
			t.Errorf("%s: a line of %d bytes", test.name, len(first))
		}
	}
}

func TestNobodyThere(t *testing.T) {
	web := httptest.NewServer(nil)
	web.Close()
	s, err := NewServer(ServerOptions{URL: web.URL, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Describe(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "there is no server at "+web.URL) {
		t.Error(err)
	}
	cut := serve(t, "", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := cut.Describe(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "cannot be asked: EOF") {
		t.Error(err)
	}
}

func TestSlowServer(t *testing.T) {
	s := serve(t, "", func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	s.client.Timeout = 50 * time.Millisecond
	if _, err := s.Describe(context.Background(), nil); err == nil || !strings.Contains(err.Error(), "did not answer within 50ms") {
		t.Error(err)
	}
	s.client.Timeout = 0
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Measure(ctx, [][]byte{{1}, {2}, {3}}, 2); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestProbe(t *testing.T) {
	sees := func(tokens int) *Server {
		return serve(t, "", func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			prompt := 20
			if bytes.Contains(body, []byte("image_url")) {
				prompt += tokens
			}
			fmt.Fprintf(w, `{"choices":[{"message":{"content":"A"}}],"usage":{"prompt_tokens":%d,"completion_tokens":1}}`, prompt)
		})
	}
	if text, err := sees(64).Probe(context.Background(), []byte("JPEG")); err != nil || text != 20 {
		t.Error(text, err)
	}
	if _, err := sees(0).Probe(context.Background(), []byte("JPEG")); err == nil || !strings.Contains(err.Error(), "does not look at them") {
		t.Error(err)
	}
	// Without figures there is nothing to see it by.
	silent := serve(t, "", func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"choices":[{"message":{"content":"A"}}]}`)
	})
	if text, err := silent.Probe(context.Background(), []byte("JPEG")); err != nil || text != 0 {
		t.Error(text, err)
	}
}

func TestMeasure(t *testing.T) {
	var now, most, all atomic.Int32
	s := serve(t, "", func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		all.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(20 * time.Millisecond)
		io.WriteString(w, good)
	})
	photos := make([][]byte, 12)
	for i := range photos {
		photos[i] = []byte{byte(i)}
	}
	r, err := s.Measure(context.Background(), photos, 3)
	if err != nil {
		t.Fatal(err)
	}
	if all.Load() != 12 || most.Load() != 3 {
		t.Errorf("asked %d times, up to %d at once; want 12 and 3", all.Load(), most.Load())
	}
	if r.Photos != 12 || r.PromptTokens < 89.99 || r.Tokens < 6.99 || r.Seconds < 0.08 {
		t.Errorf("%+v", r)
	}

	// The first refusal ends it.
	all.Store(0)
	s = serve(t, "", func(w http.ResponseWriter, _ *http.Request) {
		if all.Add(1) > 2 {
			http.Error(w, `{"error":"no more"}`, http.StatusTooManyRequests)
			return
		}
		io.WriteString(w, good)
	})
	if _, err := s.Measure(context.Background(), photos, 2); err == nil || !strings.Contains(err.Error(), "429 Too Many Requests: no more") {
		t.Error(err)
	}
	if all.Load() > 5 {
		t.Errorf("%d photos were asked about after a refusal", all.Load())
	}
}
