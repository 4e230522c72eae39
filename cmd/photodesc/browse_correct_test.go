package main

import (
	"fmt"
	"path"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"photodesc/internal/browse/browsetest"
	"photodesc/tracker"
)

// TestBrowseCorrect: what a person writes is lost neither by Escape nor by another window, and replaces nothing unseen.
func TestBrowseCorrect(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	w := browsetest.New(t, 3, 0.2)
	p := startPage(t, w.Dir)
	var photo tracker.Photo
	for p, err := range tracker.Photos(w.Dir, tracker.Select{}) {
		if err != nil {
			t.Fatal(err)
		}
		if p.Status == tracker.OK {
			photo = p
		}
	}
	b.open(p.address, ".tile")
	tile := fmt.Sprintf(".tile[title^=%q]", path.Base(photo.Path))
	b.until(fmt.Sprintf("document.querySelector(%q)", tile))
	b.click(tile)
	b.until("document.querySelector('.panel .description')")
	model := eval[string](b, "document.querySelector('.description').textContent")

	// Escape keeps what was written.
	b.click(".words .button")
	b.until("document.activeElement.id === 'edit-description'")
	b.keys(" My words")
	b.keys(kb.Escape)
	b.until("document.querySelector('.words .button')?.textContent === 'Go on correcting'")
	if got := eval[string](b, "document.querySelector('.description').textContent"); got != model {
		t.Errorf("after Escape it shows %q", got)
	}
	b.click(".words .button")
	b.until("document.querySelector('#edit-description')?.value.endsWith(' My words')")

	// Somebody else corrects meanwhile.
	if err := tracker.Correct(w.Dir, tracker.Correction{Path: photo.Path, Description: "Words from elsewhere"}); err != nil {
		t.Fatal(err)
	}
	b.keys(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl))
	b.until("document.querySelector('.edit-problem')?.textContent.includes('“Words from elsewhere”') && document.querySelector('#edit-description').value.endsWith(' My words')")
	b.keys(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl))
	b.until("document.querySelector('.panel .description')?.textContent.endsWith(' My words')")

	// Nothing is no description.
	b.click(".words .button")
	b.until("document.querySelector('#edit-description')")
	_ = eval[string](b, "document.querySelector('#edit-description').value = ''")
	b.keys(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl))
	b.until("document.querySelector('.edit-problem')?.textContent.includes('empty')")
	b.click(".edit .button:not(.main)")
	b.until("document.querySelector('.panel .description')?.textContent.endsWith(' My words')")

	// The next one, too.
	b.keys(kb.ArrowLeft)
	b.until("document.querySelector('.words .button') && !document.querySelector('.panel .description')?.textContent.endsWith(' My words')")
	b.click(".words .button")
	b.until("document.activeElement.id === 'edit-description'")
	b.do(chromedp.SetValue(chromedp.CSS("#edit-description"), "The second photo"))
	b.keys(kb.Enter, chromedp.KeyModifiers(kb.ModifierCtrl))
	b.until("document.querySelector('.panel .description')?.textContent === 'The second photo'")
	if errors := b.complaints(); len(errors) > 0 {
		t.Errorf("the page has reported %q", errors)
	}
}
