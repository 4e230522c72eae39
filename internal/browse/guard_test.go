package browse

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"photodesc/internal/preview"
	"photodesc/tracker"
)

// testPage is a page that is served to a test.
type testPage struct {
	t       *testing.T
	s       *Server
	dir     string
	photos  string
	visitor *http.Client // who has the cookie
}

// newTestPage serves the page of photos whose files and records the test gives.
func newTestPage(t *testing.T, records ...tracker.Record) *testPage {
	return newLimitedPage(t, limits{}, records...)
}

// newLimitedPage is newTestPage with limits of searches.
func newLimitedPage(t *testing.T, most limits, records ...tracker.Record) *testPage {
	p := &testPage{t: t, dir: t.TempDir(), photos: t.TempDir()}
	p.write(records...)
	s, err := Listen(Options{Dir: p.dir, Root: p.photos, CacheDir: t.TempDir(), CacheLimit: 1 << 20, limits: most,
		Previews: preview.NewMaker(preview.Options{Command: func() (*exec.Cmd, error) { return exec.Command("false"), nil }})})
	if err != nil {
		t.Fatal(err)
	}
	p.s = s
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	jar, _ := cookiejar.New(nil)
	p.visitor = &http.Client{Jar: jar}
	if code, body := p.get(p.visitor, s.Address(), nil); code != 200 {
		t.Fatalf("%d: %s", code, body)
	}
	return p
}

// write adds records to the outputs.
func (p *testPage) write(records ...tracker.Record) {
	p.t.Helper()
	var lines []byte
	for _, r := range records {
		if r.Status == "" {
			r.Status = tracker.OK
		}
		if r.Time.IsZero() {
			r.Time = time.Unix(1_700_000_000, 0)
		}
		line, err := r.Line()
		if err != nil {
			p.t.Fatal(err)
		}
		lines = append(lines, line...)
	}
	folder := filepath.Join(p.dir, tracker.OutputsName)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		p.t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(folder, "image_analysis_20260101_000000.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(lines); err != nil {
		p.t.Fatal(err)
	}
}

func (p *testPage) request(method, address string, change func(*http.Request)) *http.Request {
	p.t.Helper()
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	return r
}

func (p *testPage) get(c *http.Client, address string, change func(*http.Request)) (int, string) {
	p.t.Helper()
	return p.do(c, p.request(http.MethodGet, address, change))
}

func (p *testPage) do(c *http.Client, r *http.Request) (int, string) {
	p.t.Helper()
	a, err := c.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy"} {
		if a.Header.Get(name) == "" {
			p.t.Errorf("%s %s has no %s", r.Method, r.URL, name)
		}
	}
	return a.StatusCode, string(b)
}

// id is the ID of a photo in an address.
func (p *testPage) id(path string) string {
	p.t.Helper()
	if err := p.s.s.library.update(); err != nil {
		p.t.Fatal(err)
	}
	e := p.s.s.library.byPath[path]
	if e == nil {
		p.t.Fatalf("there is no %q", path)
	}
	return e.id.String()
}

var everywhere = []string{"/", "/static/main.js", "/api/photos", "/api/facets", "/api/texts?ids=1", "/api/photo/1", "/api/run", "/api/run/events", "/thumbnail/1", "/picture/1", "/run", "/photo/1", "/nowhere"}

// TestStrangers lets nobody in without the token of the address or the cookie, wherever they ask.
func TestStrangers(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "secret words"})
	for _, place := range everywhere {
		for what, change := range map[string]func(*http.Request){
			"nothing":         nil,
			"an empty cookie": func(r *http.Request) { r.AddCookie(&http.Cookie{Name: p.s.s.guard.name}) },
			"a wrong cookie": func(r *http.Request) {
				r.AddCookie(&http.Cookie{Name: p.s.s.guard.name, Value: strings.Repeat("A", 26)})
			},
			"the token as one":      func(r *http.Request) { r.AddCookie(&http.Cookie{Name: p.s.s.guard.name, Value: p.s.s.guard.token}) },
			"a wrong token":         func(r *http.Request) { r.URL.RawQuery = "token=" + strings.Repeat("A", 26) },
			"an empty token":        func(r *http.Request) { r.URL.RawQuery = "token=" },
			"the cookie as one":     func(r *http.Request) { r.URL.RawQuery = "token=" + p.s.s.guard.cookie },
			"the token in a header": func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+p.s.s.guard.token) },
		} {
			if code, body := p.get(&http.Client{}, p.s.base()+place, change); code != http.StatusUnauthorized || strings.Contains(body, "secret") {
				t.Errorf("%s with %s: %d", place, what, code)
			}
		}
	}
}

// TestTokens: the printed address holds, the browser's once, and the cookie is one that scripts and other sites do not get.
func TestTokens(t *testing.T) {
	p := newTestPage(t)
	launch := p.s.LaunchAddress()
	for i, want := range []int{200, 401} {
		if code, _ := p.get(&http.Client{}, launch, nil); code != want {
			t.Errorf("the browser's address, time %d: %d", i+1, code)
		}
	}
	if code, _ := p.get(&http.Client{}, p.s.base()+"/?token=", nil); code != 401 {
		t.Errorf("the used token is \"\", which lets in: %d", code)
	}
	for range 2 {
		a, err := http.Get(p.s.Address())
		if err != nil || a.StatusCode != 200 {
			t.Fatal(err, a.Status)
		}
		b, _ := io.ReadAll(a.Body)
		a.Body.Close()
		c := a.Cookies()
		if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode || c[0].Path != "/" || c[0].Domain != "" {
			t.Errorf("cookies %v", c)
		}
		if !strings.Contains(string(b), `content="0;url=/"`) || strings.Contains(string(b), "token") {
			t.Errorf("the token stays in the address: %s", b)
		}
	}
}

// TestLocked tells a person who comes without the key what to do, and a program in plain text.
func TestLocked(t *testing.T) {
	p := newTestPage(t)
	for dest, want := range map[string]string{"document": "<h1>This page is locked</h1>", "": "open the address that photodesc browse printed"} {
		code, body := p.get(&http.Client{}, p.s.base()+"/run", func(r *http.Request) { r.Header.Set("Sec-Fetch-Dest", dest) })
		if code != http.StatusUnauthorized || !strings.Contains(body, want) || strings.Contains(body, p.s.s.guard.token) {
			t.Errorf("%q: %d %s", dest, code, body)
		}
	}
}

// TestRebinding refuses requests for another name, as those of a page whose name leads here, even with the cookie.
func TestRebinding(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "secret words"})
	for _, host := range []string{"evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", "127.0.0.2", "0.0.0.0", "", "[::]", "localhost:80:80"} {
		for _, place := range append(everywhere, "/?token="+p.s.s.guard.token) {
			r := p.request(http.MethodGet, p.s.base()+place, func(r *http.Request) { r.Host = host })
			if host == "" { // the client would set it
				continue
			}
			if code, _ := p.do(p.visitor, r); code != http.StatusMisdirectedRequest {
				t.Errorf("%s on %s: %d", host, place, code)
			}
		}
	}
	for _, host := range []string{"localhost:8000", "127.0.0.1:1234", "LOCALHOST", "[::1]:80"} { // as through a tunnel
		named := func(r *http.Request) {
			r.Host = host
			r.AddCookie(&http.Cookie{Name: p.s.s.guard.name, Value: p.s.s.guard.cookie})
		}
		if code, _ := p.get(&http.Client{}, p.s.base()+"/api/facets", named); code != 200 {
			t.Errorf("%s: %d", host, code)
		}
	}
}

// TestOtherPages refuses what other pages make a browser send with the cookie.
func TestOtherPages(t *testing.T) {
	p := newTestPage(t, tracker.Record{Path: "a.jpg", Description: "old words"})
	correction := p.s.base() + "/api/photo/" + p.id("a.jpg") + "/correction"
	post := func(change func(*http.Request)) (int, string) {
		r, _ := http.NewRequest(http.MethodPost, correction, strings.NewReader(`{"description":"evil"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Origin", p.s.base())
		if change != nil {
			change(r)
		}
		return p.do(p.visitor, r)
	}
	other, _ := url.Parse(p.s.base())
	for what, change := range map[string]func(*http.Request){
		"another origin":  func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"another port":    func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:1") },
		"another scheme":  func(r *http.Request) { r.Header.Set("Origin", "https://"+other.Host) },
		"a hidden origin": func(r *http.Request) { r.Header.Set("Origin", "null") },
		"no origin":       func(r *http.Request) { r.Header.Del("Origin") },
		"another site":    func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"the same site":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
		"a form":          func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		"plain text":      func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"a navigation by a form": func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "document")
		},
	} {
		if code, body := post(change); code < 400 || code >= 500 {
			t.Errorf("%s: %d %s", what, code, body)
		}
	}
	if _, err := os.Stat(filepath.Join(p.dir, tracker.OutputsName, tracker.CorrectionsName)); err == nil {
		t.Error("a correction was kept")
	}
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodPost} {
		r := p.request(method, p.s.base()+"/api/photos", func(r *http.Request) { r.Header.Set("Origin", p.s.base()) })
		if code, _ := p.do(p.visitor, r); code != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, code)
		}
	}
	// Pictures on other pages, with the cookie of the same site.
	for _, site := range []string{"cross-site", "same-site"} {
		code, _ := p.get(p.visitor, p.s.base()+"/thumbnail/"+p.id("a.jpg"), func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", site)
			r.Header.Set("Sec-Fetch-Mode", "no-cors")
			r.Header.Set("Sec-Fetch-Dest", "image")
		})
		if code != http.StatusForbidden {
			t.Errorf("a picture for a page of %s: %d", site, code)
		}
	}
	if code, body := post(nil); code != 200 || !strings.Contains(body, "evil") {
		t.Errorf("the page itself: %d %s", code, body)
	}
}

// TestHeaders: no answer may run what is in it, whatever it is.
func TestHeaders(t *testing.T) {
	p := newTestPage(t)
	csp := securityHeaders["Content-Security-Policy"]
	for _, bad := range []string{"unsafe", "*", "data:", "blob:", "http"} {
		if strings.Contains(csp, bad) {
			t.Errorf("the policy has %s", bad)
		}
	}
	_, body := p.get(p.visitor, p.s.base()+"/", nil)
	for _, bad := range []string{"<style", " style=", "<script>", " onclick", " onload", "javascript:", "//fonts", "https://"} {
		if strings.Contains(body, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
}

// TestOtherUser closes the connection of another user of this machine, whatever they know.
func TestOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can be another user, too")
	}
	p := newTestPage(t)
	address, _ := url.Parse(p.s.Address())
	try := func(uid string) string {
		cmd := exec.Command("setpriv", "--reuid="+uid, "--clear-groups", "bash", "-c",
			`exec 3<>"/dev/tcp/127.0.0.1/$1" && printf 'GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$2" >&3 && timeout 20 cat <&3`, "-", address.Port(), address.RequestURI())
		out, err := cmd.CombinedOutput()
		if err != nil && len(out) == 0 {
			out = []byte(err.Error())
		}
		return string(out)
	}
	if got := try("0"); !strings.HasPrefix(got, "HTTP/1.0 200") {
		t.Skipf("setpriv or bash cannot do it here: %s", got)
	}
	if got := try("65534"); strings.Contains(got, "HTTP/") {
		t.Errorf("another user with the right token gets %s", got)
	}
}
