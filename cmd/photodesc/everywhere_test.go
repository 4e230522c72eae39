package main

import (
	"testing"
	"testing/synctest"
	"time"

	"photodesc/internal/runs"
)

// TestEachEntryTimeout does not wait for workdirs that hang, however many.
func TestEachEntryTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		entries := make([]runs.Entry, 3*placesAtOnce)
		for i := range entries {
			entries[i].Workdir = "hangs"
		}
		entries[len(entries)-1].Workdir = "answers"
		disk := make(chan bool)
		began := time.Now()
		list := eachEntry(entries, 2*time.Second, func(e runs.Entry) string {
			if e.Workdir == "hangs" {
				<-disk
			}
			return e.Workdir
		})
		close(disk)
		if took := time.Since(began); took > 3*2*time.Second {
			t.Errorf("it took %v", took)
		}
		for i, a := range list {
			if hangs := entries[i].Workdir == "hangs"; hangs != (a == nil) {
				t.Errorf("%d: %v", i, a)
			}
		}
	})
}
