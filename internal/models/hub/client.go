// Package hub fetches files from the Hugging Face hub, or from a mirror with the same
// protocol. The hub redirects a file's address to another host. Its answer states the
// file's size and SHA-256, and what arrives is compared with both.
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

// queryTimeout limits a request for a file's size or a list of files.
const queryTimeout = time.Minute

const (
	defaultHost     = "huggingface.co"
	defaultEndpoint = "https://" + defaultHost
)

// Client talks to one hub. FromEnvironment makes one.
type Client struct {
	endpoint  *url.URL
	token     string
	tokenFrom string // a variable or a file's path, for people
	http      *http.Client

	Stall time.Duration // a connection that delivers less than 4 KiB in this time is closed
	Pause time.Duration // before the first retry; it doubles with each
	Tries int           // attempts in a row without progress before an error
}

// FromEnvironment returns a client configured by the hub's usual variables: HF_ENDPOINT
// is the hub's address, HF_TOKEN a token for it; without one, the token that the hub's
// own tools have kept is used. HTTPS_PROXY and related variables apply. It fails if
// HF_ENDPOINT is not an address.
func FromEnvironment() (*Client, error) {
	address := os.Getenv("HF_ENDPOINT")
	if address == "" {
		address = defaultEndpoint
	}
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, fmt.Errorf("HF_ENDPOINT is not the address of a hub\n  give one such as %s", defaultEndpoint)
	}
	token, tokenFrom := findToken(u.Host)
	transport := http.DefaultTransport.(*http.Transport).Clone() // with the proxies of the environment
	transport.ResponseHeaderTimeout = 30 * time.Second
	transport.DisableCompression = true
	return &Client{
		endpoint: u, token: token, tokenFrom: tokenFrom,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		Stall: 30 * time.Second, Pause: time.Second, Tries: 8,
	}, nil
}

// Offline tells whether HF_HUB_OFFLINE forbids connections.
func Offline() bool { return isSet("HF_HUB_OFFLINE") }

// Host returns the hub's host name.
func (c *Client) Host() string { return c.endpoint.Host }

// Address returns the URL of a file for people or, if file is empty, of the repository.
func (c *Client) Address(repo, file string) string {
	u := *c.endpoint
	u.User = nil
	name, revision := Revision(repo)
	switch {
	case file != "":
		return u.JoinPath(name, "resolve", revision, file).String()
	case revision != mainBranch:
		return u.JoinPath(name, "tree", revision).String()
	}
	return u.JoinPath(name).String()
}

const mainBranch = "main"

// Revision splits the name of a repository from the revision that is wanted of it, a
// commit, a tag or a branch: OWNER/NAME@REVISION. It is main where none is named.
// All methods of a client take repositories with or without one.
func Revision(repo string) (name, revision string) {
	name, revision, named := strings.Cut(repo, "@")
	if !named {
		revision = mainBranch
	}
	return name, revision
}

// File is what the hub states about a file.
type File struct {
	Path   string // in the repository
	Size   int64  // bytes; -1: not stated
	SHA256 string // hexadecimal; empty: not stated
	etag   string
}

// List asks the hub for the files of a repository.
func (c *Client) List(ctx context.Context, repo string) ([]File, error) {
	return retry(ctx, c, "", nil, func() ([]File, error) {
		name, revision := Revision(repo)
		u := c.endpoint.JoinPath("api", "models", name, "tree", revision)
		u.RawQuery = "recursive=true"
		ctx, cancel := context.WithTimeout(ctx, queryTimeout)
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
			return nil, permanent(fmt.Errorf("%s returned no list of files for %s", c.Host(), repo))
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

// Stat asks the hub for the size and SHA-256 of a file in a repository.
func (c *Client) Stat(ctx context.Context, repo, path string) (File, error) {
	return retry(ctx, c, path, nil, func() (File, error) {
		f := File{Path: path, Size: -1}
		ctx, cancel := context.WithTimeout(ctx, queryTimeout)
		defer cancel()
		resp, err := c.follow(ctx, http.MethodHead, c.fileURL(repo, path), nil, &f)
		if err != nil {
			return f, err
		}
		resp.Body.Close()
		if f.Size >= 0 && resp.StatusCode >= 300 && resp.StatusCode < 400 {
			return f, nil // the redirect states all; its target may not answer HEAD
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

// learn takes size and digest from the header of an answer.
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
	name, revision := Revision(repo)
	return c.endpoint.JoinPath(name, "resolve", revision, path)
}

// follow makes a request and follows redirects. Only the hub's own host gets the
// token. With f, it takes size and digest from the hub's answers and returns the
// first redirect to another host after the size is known.
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
			return nil, permanent(fmt.Errorf("%s redirects without an address", u.Host))
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

// home tells whether an address is the hub's own and may get the token. Without
// encryption only a hub on this machine may get it.
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

// clean removes secrets from an error: addresses of file servers carry signatures, and
// those of mirrors and proxies may carry passwords.
func (c *Client) clean(u *url.URL, err error) error {
	var inUrl *url.Error
	if errors.As(err, &inUrl) {
		err = inUrl.Err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err) {
		return &networkError{host: u.Host, text: "time-out", cause: err}
	}
	text := userinfo.ReplaceAllString(err.Error(), "//")
	if c.token != "" {
		text = strings.ReplaceAll(text, c.token, "***")
	}
	return &networkError{host: u.Host, text: text, cause: err}
}

// networkError is returned for a connection that could not be made or was lost.
type networkError struct {
	host, text string
	cause      error
	broke      bool // it had been made
}

func (e *networkError) Error() string {
	if e.broke {
		return fmt.Sprintf("the connection to %s broke: %s", e.host, e.text)
	}
	return fmt.Sprintf("no answer from %s: %s", e.host, e.text)
}

// Unreachable tells whether an error means that a connection to the hub could not be
// made or was lost.
func Unreachable(err error) bool {
	var e *networkError
	return errors.As(err, &e)
}
