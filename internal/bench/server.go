package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is a client of a server with OpenAI's chat API, such as llama.cpp's or
// Ollama's.
type Server struct {
	address   string // of chat/completions
	base      string // as the user gave it
	model     string
	prompt    string
	maxTokens int
	client    *http.Client
}

// ServerOptions are the server's address and the request for each photo.
type ServerOptions struct {
	URL       string        // http://127.0.0.1:8080, with or without /v1
	Model     string        // the server's name of the model; llama.cpp's server needs none
	Prompt    string        // for every photo
	MaxTokens int           // tokens to generate; exactly this many if the server supports it
	Timeout   time.Duration // for one answer
}

// NewServer checks the options. It does not connect to the server.
func NewServer(o ServerOptions) (*Server, error) {
	u, err := url.Parse(o.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is not the address of a server, such as http://127.0.0.1:8080", o.URL)
	}
	path := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/chat/completions"), "/v1")
	u.Path, u.RawQuery, u.Fragment = path+"/v1/chat/completions", "", ""
	return &Server{
		address: u.String(), base: o.URL, model: o.Model, prompt: o.Prompt, maxTokens: o.MaxTokens,
		client: &http.Client{Timeout: o.Timeout},
	}, nil
}

// Reply is the server's token counts for one photo, 0 if it does not report them.
type Reply struct {
	PromptTokens int
	Tokens       int // generated
}

// Round is a measurement of photos that were described together.
type Round struct {
	Photos       int
	Seconds      float64
	PromptTokens float64 // a photo, on average
	Tokens       float64
}

type part struct {
	Type  string    `json:"type"`
	Text  string    `json:"text,omitempty"`
	Image *imageURL `json:"image_url,omitempty"`
}

type imageURL struct {
	URL string `json:"url"`
}

type message struct {
	Role    string `json:"role"`
	Content []part `json:"content"`
}

// request includes fields of llama.cpp's server, which other servers ignore.
type request struct {
	Model       string    `json:"model"`
	Messages    []message `json:"messages"`
	MaxTokens   int       `json:"max_tokens"`
	Temperature float64   `json:"temperature"`
	IgnoreEOS   bool      `json:"ignore_eos"`   // exactly MaxTokens
	CachePrompt bool      `json:"cache_prompt"` // no round profits from the one before
}

type response struct {
	Choices []struct {
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
	} `json:"choices"`
	Usage struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// Describe requests a description of one JPEG or, if it is nil, an answer to the
// prompt without a picture.
func (s *Server) Describe(ctx context.Context, jpeg []byte) (Reply, error) {
	return s.ask(ctx, jpeg, s.maxTokens)
}

func (s *Server) ask(ctx context.Context, jpeg []byte, tokens int) (Reply, error) {
	content := []part{{Type: "text", Text: s.prompt}}
	if jpeg != nil {
		data := "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(jpeg)
		content = append([]part{{Type: "image_url", Image: &imageURL{data}}}, content...)
	}
	body, err := json.Marshal(request{
		Model: s.model, Messages: []message{{"user", content}}, MaxTokens: tokens, IgnoreEOS: true,
	})
	if err != nil {
		return Reply{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, bytes.NewReader(body))
	if err != nil {
		return Reply{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return Reply{}, s.unreachable(ctx, err)
	}
	defer resp.Body.Close()
	const most = 16 << 20
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return Reply{}, s.unreachable(ctx, err)
	}
	if resp.StatusCode != http.StatusOK {
		return Reply{}, s.refused(resp.StatusCode, text)
	}
	var r response
	if err := json.Unmarshal(text, &r); err != nil || len(r.Choices) == 0 {
		if len(r.Error) > 0 {
			return Reply{}, s.refused(resp.StatusCode, text)
		}
		return Reply{}, fmt.Errorf("the server at %s answers %q, which is not OpenAI's chat protocol\n  give the address of a server that has /v1/chat/completions", s.base, short(string(text)))
	}
	if r.Choices[0].Message.Content == "" && r.Usage.Completion == 0 {
		return Reply{}, fmt.Errorf("the server at %s answers with no words at all", s.base)
	}
	return Reply{PromptTokens: r.Usage.Prompt, Tokens: r.Usage.Completion}, nil
}

// unreachable returns the error if there was no answer, with what to do.
func (s *Server) unreachable(ctx context.Context, err error) error {
	var net net.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &net) && net.Timeout():
		return fmt.Errorf("the server at %s did not answer within %v\n  give it longer with --timeout", s.base, s.client.Timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("there is no server at %s\n  start one, such as: llama-server -m MODEL.gguf --mmproj MMPROJ.gguf --port 8080", s.base)
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // without the address, which is said already
	}
	return fmt.Errorf("the server at %s cannot be asked: %w", s.base, err)
}

// refused returns the error of a request that the server refused, with its message.
func (s *Server) refused(status int, body []byte) error {
	words := short(errorWords(body))
	code := ""
	if status != http.StatusOK {
		code = fmt.Sprintf(" %d %s", status, http.StatusText(status))
	}
	hint := ""
	lower := strings.ToLower(words)
	switch {
	case strings.Contains(lower, "image") || strings.Contains(lower, "mmproj") || strings.Contains(lower, "multimodal"):
		hint = "\n  it takes no pictures: start it with the vision file (--mmproj), or with a model that sees"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		hint = "\n  start it without a key: a measurement sends none"
	case status == http.StatusNotFound && s.model == "":
		hint = "\n  if it serves several models, name one with --against-model"
	case status == http.StatusServiceUnavailable:
		hint = "\n  it may still be loading its model: try again in a moment"
	}
	if words != "" {
		words = ": " + words
	}
	return fmt.Errorf("the server at %s answers%s%s%s", s.base, code, words, hint)
}

// errorWords returns the message in an error's JSON, which has one of two forms.
func errorWords(body []byte) string {
	var nested struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	var plain struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &nested) == nil && nested.Error.Message != "" {
		return nested.Error.Message
	}
	if json.Unmarshal(body, &plain) == nil && plain.Error != "" {
		return plain.Error
	}
	return string(body)
}

// short shortens the server's text to a line.
func short(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}

// Probe requests one token with a JPEG and one without. It fails if the server
// cannot be measured, and spares the measurement the first answer, which is slower
// on every server. It returns the tokens of a prompt without a picture, 0 if the
// server does not report them.
func (s *Server) Probe(ctx context.Context, jpeg []byte) (textTokens int, err error) {
	with, err := s.ask(ctx, jpeg, 1)
	if err != nil {
		return 0, err
	}
	without, err := s.ask(ctx, nil, 1)
	if err != nil {
		return 0, err
	}
	// A picture has at least some dozens of tokens in all of these models.
	if with.PromptTokens > 0 && with.PromptTokens < without.PromptTokens+8 {
		return 0, fmt.Errorf("the server at %s takes pictures and does not look at them: its prompt has %d tokens with one and %d without\n  start it with the vision file (--mmproj), or with a model that sees",
			s.base, with.PromptTokens, without.PromptTokens)
	}
	return without.PromptTokens, nil
}

// Measure measures the time for all photos, several at once. It ends at the first
// error.
func (s *Server) Measure(ctx context.Context, jpegs [][]byte, atOnce int) (Round, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan []byte)
	replies := make(chan Reply, len(jpegs))
	var askers sync.WaitGroup
	began := time.Now()
	for range max(atOnce, 1) {
		askers.Go(func() {
			for jpeg := range next {
				reply, err := s.Describe(ctx, jpeg)
				if err != nil {
					cancel(err)
					return
				}
				replies <- reply
			}
		})
	}
	for _, jpeg := range jpegs {
		select {
		case next <- jpeg:
		case <-ctx.Done():
		}
	}
	close(next)
	askers.Wait()
	if err := context.Cause(ctx); err != nil {
		return Round{}, err
	}
	r := Round{Photos: len(jpegs), Seconds: time.Since(began).Seconds()}
	close(replies)
	for reply := range replies {
		r.PromptTokens += float64(reply.PromptTokens) / float64(len(jpegs))
		r.Tokens += float64(reply.Tokens) / float64(len(jpegs))
	}
	return r, nil
}
