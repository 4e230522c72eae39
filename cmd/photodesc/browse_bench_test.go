package main

import (
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"photodesc/internal/browse/browsetest"
)

// BenchmarkFirstView starts photodesc browse with 100,000 photos and measures the time until the window is full of pictures: of
// the program alone until it answers, and of both. Previews, the list of photos and the search index are there from before.
func BenchmarkFirstView(b *testing.B) {
	cache := b.TempDir()
	b.Setenv(cacheEnv, cache)
	dir := browsetest.Many(b, 100_000, 400).Dir
	view := newBrowser(b)
	full := "document.querySelectorAll('.tile').length > 10 && [...document.querySelectorAll('.tile')].every((x) => x.getBoundingClientRect().top > innerHeight || x.matches('.loaded'))"
	p := startPage(b, dir)
	view.open(p.address, ".tile")
	view.until("[...document.querySelectorAll('.tile')].every((x) => x.matches('.loaded'))")
	view.do(chromedp.Navigate(p.base + "/?q=dog"))
	view.until("document.querySelector('#count').textContent.startsWith('More than')")
	stop := func(p *served) {
		_ = p.cmd.Process.Signal(os.Interrupt)
		_ = p.cmd.Wait()
	}
	stop(p)
	var answers, search time.Duration
	for b.Loop() {
		began := time.Now()
		p := startPage(b, dir)
		answers += time.Since(began)
		view.do(chromedp.Navigate(p.address))
		view.until(full)
		b.StopTimer()
		b.ReportMetric(0, "ns/op")
		searched := time.Now()
		view.do(chromedp.Focus(chromedp.CSS("#query")))
		view.keys("moun")
		view.until("document.querySelector('#count').textContent.startsWith('More than')")
		search += time.Since(searched)
		stop(p)
		b.StartTimer()
	}
	b.ReportMetric(float64(answers.Milliseconds())/float64(b.N), "ms-to-address")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms-to-first-view")
	b.ReportMetric(float64(search.Milliseconds())/float64(b.N), "ms-search-typed")
}
