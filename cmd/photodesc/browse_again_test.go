package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"photodesc/tracker"
)

// TestBrowseAgain: a photo is described again from its page by the keyboard, and the page shows the new words when a run has
// written them; all photos of a filter are asked for together.
func TestBrowseAgain(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	photos, dir := t.TempDir(), filepath.Join(t.TempDir(), "w")
	example, err := os.ReadFile("../../examples/photos/black-square-grey.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"one.jpg": example, "broken.jpg": []byte("no photo")} {
		if err := os.WriteFile(filepath.Join(photos, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) {
		t.Helper()
		out, err := exec.Command("photodesc", append([]string{"-C", dir, "run", "--model", "builtin"}, args...)...).CombinedOutput()
		if code := (*exec.ExitError)(nil); err != nil && (!asExit(err, &code) || code.ExitCode() != 3) {
			t.Fatalf("%v: %s", err, out)
		}
	}
	run(photos)
	p := startPage(t, dir)
	b.open(p.address, ".tile")
	b.until("document.querySelector('.tile[title^=\"one.jpg\"]')")
	b.click(`.tile[title^="one.jpg"]`)
	b.until("document.querySelector('.panel .description')")
	b.keys("d")
	b.until("document.activeElement.id === 'again-prompt'")
	b.do(chromedp.SetValue(chromedp.CSS("#again-prompt"), "own"))
	eval[bool](b, "document.querySelector('#again-prompt').dispatchEvent(new Event('change'))")
	b.until("document.activeElement.id === 'again-text'")
	b.keys("Which colour, e and d?")
	b.keys(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl))
	b.until("document.querySelector('.request code')?.textContent.endsWith('run --requested') && document.querySelector('.request').textContent.includes('“Which colour, e and d?”')")
	b.keys(kb.Escape)

	b.open(p.base+"/?failed=1", ".tile")
	b.until("document.querySelector('#again-open').checkVisibility()")
	b.keys("d")
	b.until("document.activeElement.id === 'again-prompt' && document.querySelector('#again h2').textContent === 'Describe 1 photo again'")
	b.click("#again .button.main")
	b.until("document.querySelector('#again [role=status]')?.textContent.startsWith('1 photo to be described again.')")
	b.keys(kb.Enter) // Close has the focus
	b.until("!document.querySelector('#again').open")

	b.open(p.base+"/run", ".asked")
	b.until("document.querySelector('.asked').textContent.includes('2 photos to be described again')")
	b.open(p.base+"/", ".tile")
	b.until("document.querySelector('.tile[title^=\"one.jpg\"]')")
	b.click(`.tile[title^="one.jpg"]`)
	b.until("document.querySelector('.request')")
	run("--requested")
	b.until("!document.querySelector('.request') && document.querySelector('.facts').textContent.includes('Which colour, e and d?')")
	all, err := tracker.ReadRequests(dir)
	if c := all.Counts(); err != nil || c.Waiting != 0 || c.Described != 1 || c.Failed != 1 {
		t.Errorf("%+v %v", c, err)
	}
	if errors := b.complaints(); len(errors) > 0 {
		t.Errorf("the page has reported %s", strings.Join(errors, "\n"))
	}
}
