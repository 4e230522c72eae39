package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"photodesc/internal/browse/browsetest"
	"photodesc/internal/preview"
	"photodesc/tracker"
)

// loadedTiles is how many photos there are in the grid with their pictures.
const loadedTiles = "document.querySelectorAll('.tile.loaded').length"

// TestBrowse looks through photos in a real browser: search, scrolling, keyboard, filters, a correction, phone width.
func TestBrowse(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	w := browsetest.New(t, 40, 0.3)
	hostile := "<img src=x onerror=alert(1)> & \"q\".jpg"
	addHostile(t, w, hostile)
	p := startPage(t, w.Dir)
	b.open(p.address, ".tile.loaded")

	// The token is out of the address and of the history.
	if at := eval[string](b, "location.href"); at != p.base+"/" {
		t.Errorf("the address is %s", at)
	}
	if n := eval[int](b, "history.length"); n > 2 {
		t.Errorf("%d entries of history", n)
	}
	b.until("document.querySelector('#count').textContent === '41 photos'")
	b.until("[...document.querySelectorAll('.tile')].every((x) => x.matches('.loaded, .none'))")

	// Keyboard: search, the grid, a photo, the next one, back.
	b.keys("/")
	b.keys("moon lak")
	b.until("document.querySelector('#count').textContent === '5 photos' && " + loadedTiles + " === 5")
	b.keys(kb.Enter)
	b.until("document.activeElement.matches('.tile')")
	b.keys(kb.ArrowRight)
	b.until("document.activeElement.dataset.i === '1'")
	b.keys(kb.Enter)
	b.until("document.querySelector('dialog.photo[open] .description mark')?.textContent === 'moon' && document.querySelector('.stage.loaded')")
	second := eval[string](b, "document.querySelector('.panel h2').textContent")
	b.keys(kb.ArrowRight)
	b.until(fmt.Sprintf("document.querySelector('.panel h2') && document.querySelector('.panel h2').textContent !== %q", second))
	if facts := eval[string](b, "document.querySelector('.facts').innerText"); !strings.Contains(facts, "smolvlm-500m") || !strings.Contains(facts, "1.6 s") || !strings.Contains(facts, "Panasonic DMC-GX80") {
		t.Errorf("the photo's details are %q", facts)
	}

	// Correct it, and find it by the new words.
	b.keys("e")
	b.until("document.activeElement.id === 'edit-description'")
	b.do(chromedp.SetValue(chromedp.CSS("#edit-description"), "Two otters in the moonlight"))
	b.keys(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl))
	b.until("document.querySelector('.panel .description')?.textContent === 'Two otters in the moonlight' && document.querySelector('.panel .note')?.textContent.startsWith('Corrected by you')")
	corrections, err := os.ReadFile(filepath.Join(w.Dir, tracker.OutputsName, tracker.CorrectionsName))
	if err != nil || !strings.Contains(string(corrections), `"description":"Two otters in the moonlight"`) || strings.Contains(string(corrections), `"keywords"`) {
		t.Errorf("%s %v", corrections, err)
	}
	b.keys(kb.Escape)
	b.until("!document.querySelector('dialog.photo[open]') && document.activeElement.matches('.tile')")
	b.keys("/")
	b.keys("otters moonl")
	b.until("document.querySelector('#count').textContent === '1 photo'")
	b.keys(kb.Escape)
	b.keys("f")
	b.until("document.querySelector('#show-corrected .n')?.textContent === '1'")
	b.do(chromedp.Navigate(p.base + "/?corrected=1"))
	b.until("document.querySelector('#count').textContent === '1 photo' && document.querySelector('.tile').title.includes('otters')")

	// What files and models say is text, whatever it is.
	b.open(p.base+"/?q=onerror", ".tile")
	b.click(".tile")
	b.until(fmt.Sprintf("document.querySelector('.panel h2')?.textContent === %q", hostile))
	if got := eval[string](b, "document.querySelector('.description').textContent"); !strings.Contains(got, "<script>window.hit = 1</script>") || eval[bool](b, "window.hit === 1 || !!document.querySelector('.panel script, .panel img')") {
		t.Errorf("the description is %q", got)
	}

	// A failed photo says why.
	b.open(p.base+"/?failed=1", ".tile")
	b.click(".tile")
	b.until("document.querySelector('.panel .problem')?.textContent.includes('damaged or cut short')")

	// On a phone nothing is wider than the screen.
	b.do(chromedp.EmulateViewport(390, 844))
	for _, place := range []string{"/", "/run", "/?q=lake", "/?failed=1"} {
		b.open(p.base+place, "main section:not([hidden])")
		b.until("document.documentElement.scrollWidth <= 390")
	}
	b.open(p.base+"/", ".tile.loaded")
	b.click(".tile")
	b.until("document.querySelector('.panel .description') && document.querySelector('dialog').scrollWidth <= 390")

	if errors := b.complaints(); len(errors) > 0 {
		t.Errorf("the page has reported %q", errors)
	}
	interrupt(t, p)
}

// interrupt ends the program as Ctrl-C does, with pages open.
func interrupt(t *testing.T, p *served) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
}

// addHostile adds a photo whose name and description are HTML.
func addHostile(t *testing.T, w browsetest.Workdir, name string) {
	t.Helper()
	track, err := tracker.Open(w.Dir, tracker.Options{Root: w.Photos})
	if err != nil {
		t.Fatal(err)
	}
	if err := track.Add(tracker.Record{Path: name, Status: tracker.OK, Description: `onerror <script>window.hit = 1</script><img src=x onerror="window.hit = 1">`, Keywords: []string{"<b>bold</b>"}}); err != nil {
		t.Fatal(err)
	}
	if err := track.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestBrowseMany scrolls through 20,000 photos and finds each place filled.
func TestBrowseMany(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	p := startPage(t, browsetest.Many(t, 20_000, 100).Dir)
	b.open(p.address, ".tile.loaded")
	b.until("document.querySelector('#count').textContent === '20,000 photos'")
	// hole is a point of the window below the bar where there is neither a photo nor a gap between two; "" if there is none.
	const hole = `(() => {
		const tiles = [...document.querySelectorAll('.tile')].map((t) => t.getBoundingClientRect());
		const all = grid.getBoundingClientRect();
		for (let y = Math.max(150, all.top); y < Math.min(innerHeight, all.bottom - 300); y += 40)
			for (let x = all.left + 20; x < all.right - 20; x += 40)
				if (!tiles.some((r) => x > r.left - 5 && x < r.right + 5 && y > r.top - 5 && y < r.bottom + 5)) return x + ', ' + y + ' of ' + tiles.length;
		return tiles.length > 400 ? tiles.length + ' elements' : '';
	})()`
	for _, place := range []float64{0, .1, .5, .50001, .9999, .3} {
		eval[bool](b, fmt.Sprintf("(scrollTo(0, document.documentElement.scrollHeight * %v), true)", place))
		began := time.Now()
		for at := "?"; at != ""; {
			if at = eval[string](b, hole); at != "" && time.Since(began) > patience {
				b.fail("scrolled to %v: there is a hole at %s", place, at)
			}
		}
		b.until("[...document.querySelectorAll('.tile')].every((x) => x.matches('.loaded, .none'))")
	}
	eval[bool](b, "document.querySelector('.tile[tabindex=\"0\"]')?.focus() || true")
	b.keys(kb.End)
	b.until("document.activeElement.dataset.i === '19999'")
	if errors := b.complaints(); len(errors) > 0 {
		t.Errorf("the page has reported %q", errors)
	}
}

// TestBrowseRun watches a real run on the page, from its first photo to its end.
func TestBrowseRun(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	h := newHarness(t)
	h.add(numbered("a", 3)...)
	if code, said := h.run(); code != 0 {
		t.Fatal(said)
	}
	p := startPage(t, h.work)
	b.open(p.address, ".tile.loaded")
	b.do(chromedp.Navigate(p.base + "/run"))
	b.until("document.querySelector('.state')?.textContent === 'Finished'")
	h.add(append(numbered("b", 10), numbered("gated", 4)...)...)
	gate := filepath.Join(t.TempDir(), "gate")
	run := h.command("--workers", "1")
	run.Env = append(os.Environ(), gateEnv+"="+gate)
	u := h.start(run)
	b.until("document.querySelector('.state')?.textContent === 'Running' && document.querySelector('.tiles dd').textContent === '13'")
	b.until("document.querySelector('.progress p').textContent === '13 of 17 photos, 76 %' && document.querySelector('#run-text').textContent === '76 %'")
	b.until("document.querySelector('.plot .line') && document.querySelector('.plot .bar-column')")
	if err := os.WriteFile(gate, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	b.until("document.querySelector('.tiles dd').textContent === '17' && document.querySelector('.state').textContent === 'Finished'")
	u.end()
	shareRun(t, b, h)
	b.keys(kb.Escape)
	b.until("document.querySelector('#count').textContent === '17 photos' || !document.querySelector('#fresh').hidden")
	b.click("#fresh:not([hidden]), #count")
	b.until("document.querySelector('#count').textContent === '17 photos'")
	if errors := b.complaints(); len(errors) > 0 {
		t.Errorf("the page has reported %q", errors)
	}
}

// shareRun has the page show a run that describes nothing on its own machine.
func shareRun(t *testing.T, b *browser, h *harness) {
	tr, err := tracker.Open(h.work, tracker.Options{Root: h.photos})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	now := time.Now()
	tr.Live().SetInFlight(9, 1)
	tr.Live().SetNodes([]tracker.Node{
		{Name: "<b>desk", Seen: now.Add(time.Hour), InFlight: 9, Described: 1234, Rate: 5678, Failed: 2},
		{Name: "nas", Seen: now.Add(time.Hour), Phase: "waiting for mains power"},
		{Name: "rack", Seen: now.Add(time.Hour), Paused: "it failed"},
		{Name: "laptop", Seen: now.Add(-5 * time.Minute), InFlight: 3},
		{Name: "phone", Seen: now, Gone: true, Left: true, Described: 1},
	})
	b.until(`[...document.querySelectorAll('.machines li')].map((li) => li.children[0].textContent + ': ' + li.children[1].textContent).join('; ') ===
		'<b>desk: 9 in flight · 1,234 described · 5,678 an hour · 2 failed; nas: waiting for mains power · 0 described; rack: gets no photos: it failed · 0 described; laptop: not seen for 5 min · 0 described; phone: has left · 1 described'`)
	b.until("document.querySelector('.tiles ~ p.note').textContent === '9 in flight'")
}

// TestBrowseSays: what a person reads on the terminal.
func TestBrowseSays(t *testing.T) {
	t.Parallel()
	w := browsetest.Many(t, 3, 0)
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"-C", w.Dir, "browse", "--port", port}, "port " + port + " is in use by another program\n  choose another with --port"},
		{[]string{"-C", w.Dir, "browse", "--port", "70000"}, "70000 is not a port"},
		{[]string{"-C", w.Dir, "browse", "--port", "-1"}, "-1 is not a port"},
		{[]string{"-C", w.Dir, "browse", "--cache", "much"}, `"much" is not a size as 500MB or 4GiB`},
		{[]string{"-C", w.Photos, "browse"}, "no run has worked in"},
		{[]string{"-C", w.Dir + "/nowhere", "browse"}, "there is no folder"},
		{[]string{"-C", w.Dir, "browse", "here"}, "browse wants no argument"},
	} {
		out, err := exec.Command("photodesc", c.args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), c.says) {
			t.Errorf("%q: %v\n%s", c.args, err, out)
		}
	}
	p := startPage(t, w.Dir, "--cache", "0")
	if len(p.said) != 2 || !strings.HasPrefix(p.address, "http://127.0.0.1:") || len(p.address) < 50 {
		t.Errorf("%q", p.said)
	}
	interrupt(t, p)
	over := startPageWith(t, []string{"SSH_CONNECTION=198.51.100.4 5000 192.0.2.7 22"}, w.Dir)
	u, err := url.Parse(over.address)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(over.said[1:], "\n"), fmt.Sprintf("    ssh -N -L %s:127.0.0.1:%s ", u.Port(), u.Port()); !strings.Contains(got, want) || !strings.Contains(got, "@192.0.2.7\n") {
		t.Errorf("over SSH it says %q", over.said)
	}
	if err := over.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := over.cmd.Wait(); err != nil {
		t.Errorf("after a request to end: %v", err)
	}
}

// TestRunThumbnails: a run keeps thumbnails of its photos where browse looks for them, but only if browse was ever used.
func TestRunThumbnails(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.add(append(numbered("a", 3), "odd \xff\n.jpg")...)
	cache := t.TempDir()
	folder := filepath.Join(cache, "photodesc", "previews")
	run := func(flags ...string) {
		t.Helper()
		cmd := h.command(flags...)
		cmd.Env = append(os.Environ(), cacheEnv+"="+cache)
		if out, err := cmd.Output(); err != nil {
			t.Fatalf("%v\n%s%s", err, out, cmd.Stderr)
		}
	}
	run()
	if _, err := os.Stat(folder); err == nil {
		t.Error("thumbnails are kept for a person who never used browse")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	h.work += "-again"
	run()
	kept := preview.OpenCache(folder, preview.DefaultLimit)
	for _, name := range []string{"a-0000.jpg", "a-0002.jpg", "odd \xff\n.jpg"} {
		path := filepath.Join(h.photos, name)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if kept.Get(preview.Key(path, preview.Thumbnail), info.ModTime()) == nil {
			t.Errorf("there is no thumbnail of %q", name)
		}
	}
	outputs, _ := filepath.Glob(filepath.Join(h.work, tracker.OutputsName, "*.jsonl"))
	for _, name := range outputs {
		if b, err := os.ReadFile(name); err != nil || strings.Contains(string(b), "thumbnail") {
			t.Errorf("%s has thumbnails: %v", name, err)
		}
	}
}
