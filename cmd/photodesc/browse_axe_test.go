package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"photodesc/internal/browse/browsetest"
)

// TestAxe has axe-core look for what keeps people with a screen reader, a keyboard or weak eyes out, in each view, light and
// dark, wide and narrow. PHOTODESC_AXE names its script; make test-programs fetches it.
func TestAxe(t *testing.T) {
	name := os.Getenv("PHOTODESC_AXE")
	if name == "" {
		t.Skip("make test-programs fetches axe-core")
	}
	axe, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	w := browsetest.New(t, 30, 0.3)
	b := newBrowser(t)
	p := startPage(t, w.Dir)
	b.open(p.address, ".tile.loaded")
	look := func(what string) {
		t.Helper()
		b.until("document.querySelectorAll('.tile').length === 0 || [...document.querySelectorAll('.tile')].every((x) => x.title)")
		eval[bool](b, string(axe)+"; true")
		text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string]("axe.run().then((r) => JSON.stringify(r.violations.map((v) => ({id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary)}))))", chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatal(err)
		}
		var found []struct {
			ID, Impact, Help string
			Nodes            []string
		}
		if err := json.Unmarshal([]byte(text), &found); err != nil {
			t.Fatal(err)
		}
		for _, v := range found {
			say := t.Logf
			if v.Impact == "serious" || v.Impact == "critical" || v.Impact == "moderate" {
				say = t.Errorf
			}
			say("%s: %s (%s): %s\n%v", what, v.ID, v.Impact, v.Help, v.Nodes[:min(3, len(v.Nodes))])
		}
	}
	for _, scheme := range []string{"light", "dark"} {
		feature := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}
		still := &emulation.MediaFeature{Name: "prefers-reduced-motion", Value: "reduce"}
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{feature, still}}); err != nil {
			t.Fatal(err)
		}
		for _, width := range []int64{1280, 390} {
			b.do(chromedp.EmulateViewport(width, 800))
			at := scheme + " "
			b.open(p.base+"/", ".tile.loaded")
			look(at + "grid")
			b.keys("f")
			b.until("document.querySelector('.filters .option')")
			look(at + "filters")
			b.open(p.base+"/?q=lake&folder=2024", ".tile.loaded")
			look(at + "search")
			b.click(".tile")
			b.until("document.querySelector('.stage.loaded') && document.querySelector('.description')")
			look(at + "photo")
			b.click(".words .button") // a key would type its letter, too, and what is not saved keeps the page
			look(at + "correction")
			b.keys(kb.Escape)
			b.keys("d")
			b.until("document.querySelector('#again-prompt')")
			look(at + "again")
			b.open(p.base+"/?failed=1", ".tile")
			b.click(".tile")
			b.until("document.querySelector('.panel .problem')")
			look(at + "failed")
			b.open(p.base+"/?folder=2024", ".tile.loaded")
			b.keys("d")
			b.until("document.querySelector('#again-prompt')")
			look(at + "again, all")
			b.open(p.base+"/?q=elephant", "#empty h2")
			look(at + "nothing")
			b.open(p.base+"/run", ".tiles")
			look(at + "run")
			b.open(p.base+"/", ".tile.loaded")
			b.keys("?")
			look(at + "help")
		}
	}
}
