package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserNames are programs that chromedp drives, the smallest first.
var browserNames = []string{"chromium-headless-shell", "chrome-headless-shell", "chromium", "chromium-browser", "google-chrome"}

// browser is a real browser in which a test looks at the page.
type browser struct {
	t   testing.TB
	ctx context.Context

	mu     sync.Mutex
	errors []string // that the page has reported
}

// newBrowser starts a browser. Without one the test is skipped.
func newBrowser(t testing.TB) *browser {
	t.Helper()
	path := ""
	for _, name := range browserNames {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("there is no Chromium here: make setup-test installs chromium-headless-shell")
	}
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox) // root has no sandbox
	alloc, stop := chromedp.NewExecAllocator(context.Background(), o...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { cancel(); stop() })
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			// A picture that cannot be shown is an entry, too, and no error of the page.
			if m.IsException() || m.Type == "error" && m.Source != "network" {
				b.mu.Lock()
				b.errors = append(b.errors, m.String())
				b.mu.Unlock()
			}
		}
	}()
	return b
}

// complaints are the errors that the page has reported.
func (b *browser) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.errors)
}

// patience is how long a test waits for the page on a busy machine.
const patience = time.Minute

// do does what a person does.
func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	for i, step := range steps {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Do(ctx, step)
		cancel()
		if err != nil {
			b.fail("step %d: %v", i+1, err)
		}
	}
}

// fail says what the page shows.
func (b *browser) fail(format string, args ...any) {
	b.t.Helper()
	text, _ := chromedp.Run(b.ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText.slice(0, 3000)"))
	b.t.Fatalf("%s\nerrors: %q\nthe page shows:\n%s", fmt.Sprintf(format, args...), b.complaints(), text)
}

// keys presses keys.
func (b *browser) keys(text string, o ...chromedp.KeyOption) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(text, o...))
}

// click clicks an element once it is there.
func (b *browser) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// eval returns the value of an expression in the page.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.fail("%s: %v", expression, err)
	}
	return v
}

// until waits until an expression in the page is true. The page's own rules forbid the waiting of chromedp, which makes functions
// of text.
func (b *browser) until(expression string) {
	b.t.Helper()
	for began := time.Now(); ; time.Sleep(15 * time.Millisecond) {
		if ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+expression+")")); ok && err == nil {
			return
		}
		if time.Since(began) > patience {
			b.fail("it is not so: %s", expression)
		}
	}
}

// open opens an address and waits for a part of the page.
func (b *browser) open(address, selector string) {
	b.t.Helper()
	b.do(chromedp.Navigate(address))
	b.until(fmt.Sprintf("document.querySelector(%q)?.checkVisibility()", selector))
}

// served is a program that serves the page.
type served struct {
	address, base string
	cmd           *exec.Cmd
	said          []string
}

// startPage starts photodesc browse.
func startPage(t testing.TB, dir string, flags ...string) *served {
	t.Helper()
	return startPageWith(t, nil, dir, flags...)
}

// startPageWith starts it with variables in its environment.
func startPageWith(t testing.TB, env []string, dir string, flags ...string) *served {
	t.Helper()
	p := &served{cmd: exec.Command("photodesc", append([]string{"-C", dir, "browse", "--no-open"}, flags...)...)}
	p.cmd.Env = append(append(os.Environ(), "SSH_CONNECTION="), env...)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr := &strings.Builder{}
	p.cmd.Stderr = stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if text := stderr.String(); text != "" {
			t.Errorf("photodesc browse said: %s", text)
		}
	})
	for s := bufio.NewScanner(out); s.Scan(); {
		p.said = append(p.said, s.Text())
		if strings.HasPrefix(s.Text(), "Ctrl-C") {
			break
		}
	}
	if len(p.said) == 0 {
		_ = p.cmd.Wait()
		t.Fatalf("photodesc browse does not begin: %s", stderr)
	}
	p.address = p.said[0]
	p.base, _, _ = strings.Cut(p.address, "/?")
	return p
}
