package browse

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// guard lets in the person who started the program and nobody else.
type guard struct {
	token  string // in the address that is printed
	cookie string // what the browser sends afterwards
	name   string // of the cookie; cookies do not know ports

	mu   sync.Mutex
	once string // in the address that is given to the browser, which other users may see; "" when it was used
}

func newGuard(port int) *guard {
	return &guard{token: rand.Text(), cookie: rand.Text(), once: rand.Text(), name: fmt.Sprintf("photodesc-%d", port)}
}

// tokenParam is the name of the token in the address.
const tokenParam = "token"

// securityHeaders are those of every answer. Nothing is loaded from elsewhere, nothing in the page's
// text is a script or a style, and no other page may embed this one.
var securityHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"manifest-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), microphone=(), geolocation=()",
	"Cache-Control":                "no-store",
}

// protect checks every request before next sees it.
func (g *guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range securityHeaders {
			w.Header().Set(name, value)
		}
		if !localName(r.Host) {
			// A page elsewhere whose name leads to this machine.
			refuse(w, http.StatusMisdirectedRequest, "this page has another address: open the one that photodesc browse printed")
			return
		}
		if text := foreign(r); text != "" {
			refuse(w, http.StatusForbidden, text)
			return
		}
		if token := r.URL.Query().Get(tokenParam); token != "" && r.URL.Path == "/" && r.Method == http.MethodGet {
			g.enter(w, token)
			return
		}
		c, err := r.Cookie(g.name)
		if err != nil || !equal(c.Value, g.cookie) {
			if r.Header.Get("Sec-Fetch-Dest") == "document" {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = w.Write([]byte(lockedPage))
				return
			}
			refuse(w, http.StatusUnauthorized, "open the address that photodesc browse printed: it has the key to this page")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// lockedPage is what a person sees who comes without the cookie, as from a bookmark.
const lockedPage = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
	`<meta name="color-scheme" content="light dark"><title>photodesc</title><h1>This page is locked</h1>` +
	`<p>Open the address that <code>photodesc browse</code> has printed in the terminal. It has the key, which is another one after each start.</p>`

// localName is whether a request names this machine as only it is named by itself.
func localName(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	switch strings.ToLower(name) {
	case "127.0.0.1", "localhost", "::1", "[::1]":
		return true
	}
	return false
}

// foreign says why a request may come from another page; "" for one from this page, or by a person.
func foreign(r *http.Request) string {
	// Other ports of this machine are the same site to a browser, but not the same origin.
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
	default:
		// A link in a mail or a chat may lead here, with the token.
		if r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Dest") != "document" {
			return "the request comes from another page"
		}
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return "the request does not say which page it comes from"
		}
		return ""
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" || u.Host != r.Host {
		return "the request comes from another page"
	}
	return ""
}

// enter answers the address with the token. The browser is sent on by the page itself, because a
// cookie with SameSite=Strict is not sent along with a redirection that another program began.
func (g *guard) enter(w http.ResponseWriter, token string) {
	g.mu.Lock()
	first := g.once != "" && equal(token, g.once)
	if first {
		g.once = ""
	}
	g.mu.Unlock()
	if !first && !equal(token, g.token) {
		refuse(w, http.StatusUnauthorized, "the key in this address is not the right one: open the address that photodesc browse printed, or start it again")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: g.name, Value: g.cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(`<!doctype html><html lang="en"><meta charset="utf-8"><title>photodesc</title><meta http-equiv="refresh" content="0;url=/"><p><a href="/">Go on</a>`))
}

// address is what a person or a browser opens. For the browser it holds once, because other users
// may see the arguments of a program.
func (g *guard) address(base string, once bool) string {
	token := g.token
	if once {
		token = g.once
	}
	return base + "/?" + tokenParam + "=" + token
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func refuse(w http.ResponseWriter, code int, text string) { http.Error(w, text, code) }
