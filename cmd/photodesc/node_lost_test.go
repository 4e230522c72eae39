package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// A connection that is back at once, or that ends with the run, is not worth a word.
func TestLostNotice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l lostNotice
		said := 0
		say := func() { said++ }
		l.lost(say)
		time.Sleep(lostPatience - time.Millisecond)
		if l.back() || said != 0 {
			t.Error("it says so too early")
		}
		time.Sleep(time.Hour)
		l.lost(say)
		l.lost(say) // the next try has failed
		time.Sleep(time.Hour)
		if !l.back() || said != 1 || l.back() {
			t.Errorf("said %d times", said)
		}
	})
}
