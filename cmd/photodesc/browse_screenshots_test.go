package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"photodesc/internal/browse/browsetest"
)

// TestScreenshots takes pictures of the page for the README, and for people to look at. PHOTODESC_SCREENSHOTS names their
// folder; make screenshots calls it.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("PHOTODESC_SCREENSHOTS")
	if folder == "" {
		t.Skip("make screenshots takes them")
	}
	w := browsetest.New(t, 64, 1)
	b := newBrowser(t)
	p := startPage(t, w.Dir)
	b.open(p.address, ".tile")
	for _, scheme := range []string{"light", "dark"} {
		for _, size := range []struct {
			name       string
			wide, high int64
			scale      float64
		}{{"desktop", 1280, 800, 1}, {"phone", 390, 844, 2}} {
			b.do(chromedp.EmulateViewport(size.wide, size.high, chromedp.EmulateScale(size.scale)))
			scheme := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}
			if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{scheme}}); err != nil {
				t.Fatal(err)
			}
			take := func(name string) {
				b.do(chromedp.Sleep(500 * time.Millisecond)) // movements end
				png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, name+"-"+size.name+"-"+scheme.Value+".png"), png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			b.open(p.base+"/", ".tile.loaded")
			b.until("!document.querySelector('.tile:not(.loaded):not(.none)')")
			take("grid")
			b.keys("f")
			b.until("document.querySelector('.filters .option')")
			take("filters")
			b.open(p.base+"/?q=lake+moon", ".tile.loaded")
			b.click(".tile")
			b.until("document.querySelector('.stage.loaded') && document.querySelector('.description')")
			take("photo")
			b.click(".words .button")
			take("edit")
			b.keys(kb.Escape)
			b.keys("d")
			b.until("document.querySelector('#again-prompt')")
			take("again")
			b.open(p.base+"/?failed=1", ".tile")
			b.click(".tile")
			b.until("document.querySelector('.panel .problem')")
			take("failed")
			b.open(p.base+"/?folder=2024", ".tile.loaded")
			b.keys("d")
			b.until("document.querySelector('#again-prompt')")
			take("again-all")
			b.open(p.base+"/?q=elephant", "#empty h2")
			take("nothing")
			b.open(p.base+"/run", ".tiles")
			take("run")
			b.open(p.base+"/", ".tile.loaded")
			b.keys("?")
			take("help")
		}
	}
	if errors := b.complaints(); len(errors) > 0 {
		t.Error(errors)
	}
}
