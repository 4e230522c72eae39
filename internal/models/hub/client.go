// Package hub fetches files from the Hugging Face hub, or from a mirror that
// answers as it does. The hub answers a file's address with a redirect to
// another host; the answer says the file's size and its SHA-256, and what
// arrives is held against both.
package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// answerTime is how long a question about a file may take.
const answerTime = time.Minute

const defaultEndpoint = "https://huggingface.co"

// Client talks to one hub. Its zero times mean the usual ones.
type Client struct {
	endpoint *url.URL
	token    string
	http     *http.Client

	Stall time.Duration // a connection that brings next to nothing for so long is given up
	Pause time.Duration // first pause before a retry; it doubles
	Tries int           // attempts in a row that bring nothing
}

// FromEnvironment is a client as the hub's usual variables want it: the hub's
// address in HF_ENDPOINT, a token for it in HF_TOKEN; and HTTPS_PROXY and its
// kin.
func FromEnvironment() (*Client, error) {
	address := os.Getenv("HF_ENDPOINT")
	if address == "" {
		address = defaultEndpoint
	}
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("HF_ENDPOINT is not the address of a hub\n  give one such as %s", defaultEndpoint)
	}
	token := os.Getenv("HF_TOKEN")
	if token == "" {
		token = os.Getenv("HUGGING_FACE_HUB_TOKEN") // the older name
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // with the proxies of the environment
	transport.ResponseHeaderTimeout = 30 * time.Second
	transport.DisableCompression = true
	return &Client{
		endpoint: u, token: strings.TrimSpace(token),
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Stall: 30 * time.Second, Pause: time.Second, Tries: 8,
	}, nil
}

// Offline tells whether a person wants no connections made.
func Offline() bool {
	switch strings.ToUpper(os.Getenv("HF_HUB_OFFLINE")) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

// Host is the hub's name for people.
func (c *Client) Host() string { return c.endpoint.Host }

// Address is where a person would find a file or, without one, a repository.
func (c *Client) Address(repo, file string) string {
	u := *c.endpoint
	u.User = nil
	if file == "" {
		return u.JoinPath(repo).String()
	}
	return u.JoinPath(repo, "resolve", "main", file).String()
}

// File is what the hub says of a file.
type File struct {
	Path   string
	Size   int64  // -1 if the hub does not say
	SHA256 string // empty if the hub does not say
	etag   string
}

// List returns the files of a repository.
func (c *Client) List(ctx context.Context, repo string) ([]File, error) {
	return retry(ctx, c, "", nil, func() ([]File, error) {
		u := c.endpoint.JoinPath("api", "models", repo, "tree", "main")
		u.RawQuery = "recursive=true"
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		resp, err := c.follow(ctx, http.MethodGet, u, nil, nil)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if err := c.status(resp, repo, ""); err != nil {
			return nil, err
		}
		var entries []struct {
			Type, Path string
			Size       int64
			LFS        struct {
				OID  string
				Size int64
			}
		}
		if err := json.NewDecoder(io.LimitReader(resp.Body, 16<<20)).Decode(&entries); err != nil {
			return nil, permanent(fmt.Errorf("%s gave no list of the files of %s", c.Host(), repo))
		}
		var files []File
		for _, e := range entries {
			if e.Type == "file" {
				files = append(files, File{Path: e.Path, Size: max(e.Size, e.LFS.Size), SHA256: sha256Of(e.LFS.OID)})
			}
		}
		return files, nil
	})
}

// Stat asks the hub for a file's size and SHA-256.
func (c *Client) Stat(ctx context.Context, repo, path string) (File, error) {
	return retry(ctx, c, path, nil, func() (File, error) {
		f := File{Path: path, Size: -1}
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		resp, err := c.follow(ctx, http.MethodHead, c.fileURL(repo, path), nil, &f)
		if err != nil {
			return f, err
		}
		resp.Body.Close()
		if f.Size >= 0 && resp.StatusCode >= 300 && resp.StatusCode < 400 {
			return f, nil // the redirect has said all; where it leads to may not answer HEAD
		}
		if err := c.status(resp, repo, path); err != nil {
			return f, err
		}
		f.learn(resp.Header)
		if f.Size < 0 {
			f.Size = resp.ContentLength
		}
		return f, nil
	})
}

// learn takes what an answer on the way says.
func (f *File) learn(h http.Header) {
	if n, err := strconv.ParseInt(h.Get("X-Linked-Size"), 10, 64); err == nil && n >= 0 {
		f.Size = n
	}
	for _, name := range []string{"X-Linked-Etag", "Etag"} {
		tag := h.Get(name)
		if tag == "" || f.SHA256 != "" {
			continue
		}
		f.SHA256 = sha256Of(strings.Trim(strings.TrimPrefix(tag, "W/"), `"`))
		if f.etag == "" {
			f.etag = tag
		}
	}
}

var hexadecimal = regexp.MustCompile(`^[0-9a-f]{64}$`)

// sha256Of returns s if it can be a SHA-256.
func sha256Of(s string) string {
	s = strings.ToLower(s)
	if !hexadecimal.MatchString(s) {
		return ""
	}
	return s
}

func (c *Client) fileURL(repo, path string) *url.URL {
	return c.endpoint.JoinPath(repo, "resolve", "main", path)
}

// follow makes a request and goes along with redirects. The token goes to the
// hub's own host only. With f, it learns from the hub's answers and does not
// leave the hub once it knows the size.
func (c *Client) follow(ctx context.Context, method string, u *url.URL, header http.Header, f *File) (*http.Response, error) {
	for range 10 {
		req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
		if err != nil {
			return nil, permanent(err)
		}
		for name, values := range header {
			req.Header[name] = values
		}
		req.Header.Set("User-Agent", "photodesc")
		req.Header.Set("Accept-Encoding", "identity")
		if c.token != "" && c.home(u) {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, c.clean(u, err)
		}
		switch resp.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return resp, nil
		}
		if f != nil && c.home(u) {
			f.learn(resp.Header)
		}
		next, err := u.Parse(resp.Header.Get("Location"))
		if err != nil || next.Host == "" {
			resp.Body.Close()
			return nil, permanent(fmt.Errorf("%s redirects to nowhere", u.Host))
		}
		if f != nil && f.Size >= 0 && !c.home(next) {
			return resp, nil
		}
		resp.Body.Close()
		if u.Scheme == "https" && next.Scheme != "https" {
			return nil, permanent(fmt.Errorf("%s redirects to an address without encryption, %s", u.Host, next.Host))
		}
		u = next
	}
	return nil, permanent(fmt.Errorf("%s redirects in a circle", c.Host()))
}

// home tells whether an address is the hub's own, so that it may see the
// token; without encryption only a hub on this machine may.
func (c *Client) home(u *url.URL) bool {
	if u.Scheme != c.endpoint.Scheme || !strings.EqualFold(u.Host, c.endpoint.Host) {
		return false
	}
	if u.Scheme == "https" || c.token == "" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

var userinfo = regexp.MustCompile(`//[^/@\s"]+@`)

// clean makes an error fit to be shown: addresses of the net's caches carry
// signatures, and those of mirrors and proxies may carry passwords.
func (c *Client) clean(u *url.URL, err error) error {
	var inUrl *url.Error
	if errors.As(err, &inUrl) {
		err = inUrl.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err) {
		return &networkError{host: u.Host, text: "it takes too long", cause: err}
	}
	text := userinfo.ReplaceAllString(err.Error(), "//")
	if c.token != "" {
		text = strings.ReplaceAll(text, c.token, "***")
	}
	return &networkError{host: u.Host, text: text, cause: err}
}

// networkError is of a connection that could not be made or broke.
type networkError struct {
	host, text string
	cause      error
	broke      bool // it was there first
}

func (e *networkError) Error() string {
	if e.broke {
		return fmt.Sprintf("the connection to %s broke: %s", e.host, e.text)
	}
	return fmt.Sprintf("no answer from %s: %s", e.host, e.text)
}

// Unreachable tells whether an error means that the hub cannot be reached at
// all, as without a network.
func Unreachable(err error) bool {
	var e *networkError
	return errors.As(err, &e)
}
