package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func walk(f *Folders, fsys *fakeFS) {
	f.Begin()
	for _, rel := range fsys.folders("/p") {
		f.Enter(rel)
	}
	f.End(true)
}

// What a look at the folders finds after each kind of change.
func TestFolders(t *testing.T) {
	long := noon.Add(-24 * time.Hour)
	for name, test := range map[string]struct {
		change func(f *Folders, fsys *fakeFS, c *handClock)
		want   bool
	}{
		"nothing":          {func(*Folders, *fakeFS, *handClock) {}, false},
		"a file came":      {func(_ *Folders, fsys *fakeFS, c *handClock) { fsys.put("/p/a/new.jpg", 1, c.wall) }, true},
		"one went":         {func(_ *Folders, fsys *fakeFS, c *handClock) { fsys.remove("/p/a/1.jpg", c.wall) }, true},
		"a folder came":    {func(_ *Folders, fsys *fakeFS, c *handClock) { fsys.put("/p/b", 0, c.wall) }, true},
		"one went with it": {func(_ *Folders, fsys *fakeFS, c *handClock) { fsys.remove("/p/a", c.wall) }, true},
		"rewritten in its place, unseen": {func(_ *Folders, fsys *fakeFS, c *handClock) {
			fsys.put("/p/a/1.jpg", 2, c.wall)
		}, false},
		"rewritten in its place, notified": {func(f *Folders, fsys *fakeFS, c *handClock) {
			fsys.put("/p/a/1.jpg", 2, c.wall)
			f.Dirty("a")
		}, true},
		"a clock that was set back": {func(_ *Folders, fsys *fakeFS, _ *handClock) { fsys.put("/p/a/new.jpg", 1, long.Add(-time.Hour)) }, true},
		"a file from the future":    {func(_ *Folders, fsys *fakeFS, c *handClock) { fsys.put("/p/a/new.jpg", 1, c.wall.AddDate(50, 0, 0)) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			fsys, c := &fakeFS{}, &handClock{wall: noon}
			for _, p := range []string{"/p", "/p/a", "/p/a/1.jpg"} {
				fsys.put(p, 1, long)
			}
			f := NewFolders("/p", fsys, c.clock(), isJPEG)
			walk(f, fsys)
			c.pass(time.Minute)
			test.change(f, fsys, c)
			if got := f.Changed(t.Context()); got != test.want {
				t.Fatalf("changed: %v", got)
			}
			// After another walk and, where a folder changed, one look more, nothing is left to do: it does not spin.
			walk(f, fsys)
			c.pass(granularity)
			if f.Changed(t.Context()) {
				t.Error("changed after the walk")
			}
			if at, due := f.Due(); due {
				t.Errorf("due again at %v", at)
			}
		})
	}
}

// A second change within the same tick of the folder's time is found, though the time does not show it.
func TestFoldersSameTick(t *testing.T) {
	fsys, c := &fakeFS{}, &handClock{wall: noon}
	fsys.put("/p", 0, noon.Add(-time.Hour))
	f := NewFolders("/p", fsys, c.clock(), isJPEG)
	walk(f, fsys)
	c.pass(time.Minute)
	at := c.wall
	fsys.put("/p/1.jpg", 1, at)
	if !f.Changed(t.Context()) {
		t.Fatal("the first is not found")
	}
	walk(f, fsys)
	fsys.put("/p/2.jpg", 1, at)
	if due, ok := f.Due(); !ok || due != c.elapsed+granularity {
		t.Fatalf("due %v, %v", due, ok)
	}
	c.pass(granularity)
	if !f.Changed(t.Context()) {
		t.Error("the second is not found")
	}
}

// A workdir among the photos, whose own files change all the time, asks for one walk and no more.
func TestFoldersOwnFiles(t *testing.T) {
	fsys, c := &fakeFS{}, &handClock{wall: noon}
	fsys.put("/p", 0, noon.Add(-time.Hour))
	fsys.put("/p/1.jpg", 1, noon.Add(-time.Hour))
	f := NewFolders("/p", fsys, c.clock(), isJPEG)
	walk(f, fsys)
	walks := 0
	for i := range 1000 {
		c.pass(15 * time.Second)
		fsys.remove(fmt.Sprintf("/p/.state%d", i-1), c.wall)
		fsys.put(fmt.Sprintf("/p/.state%d", i), 1, c.wall)
		if f.Changed(t.Context()) {
			walks++
			walk(f, fsys)
		}
	}
	if walks != 1 {
		t.Errorf("%d walks", walks)
	}
	fsys.put("/p/2.jpg", 1, c.wall)
	c.pass(granularity) // it came within the tick of another change
	if !f.Changed(t.Context()) {
		t.Error("a photo among them is not found")
	}
}

// A folder that is away asks for one walk when it went and one when it is back, if no walk is complete meanwhile.
func TestFoldersAway(t *testing.T) {
	fsys, c := &fakeFS{}, &handClock{wall: noon}
	for _, p := range []string{"/p", "/p/disk", "/p/disk/a"} {
		fsys.put(p, 0, noon.Add(-time.Hour))
	}
	f := NewFolders("/p", fsys, c.clock(), isJPEG)
	walk(f, fsys)
	c.pass(time.Minute)
	f.Dirty("disk/a") // shortly before it went
	walk(f, fsys)
	fsys.remove("/p/disk/a", noon.Add(-time.Hour))
	count := 0
	for range 100 {
		c.pass(time.Minute)
		if f.Changed(t.Context()) {
			count++
			f.Begin()
			f.Enter(".")
			f.End(false)
		}
		if at, due := f.Due(); due && at <= c.elapsed {
			t.Fatalf("due at %v, which is over: it spins", at)
		}
	}
	fsys.put("/p/disk/a", 0, noon.Add(-time.Hour))
	if count != 1 || !f.Changed(t.Context()) {
		t.Errorf("%d walks while it was away, or it is not seen when it is back", count)
	}
}

func TestRest(t *testing.T) {
	const settle = 10 * time.Second
	for name, test := range map[string]struct {
		written time.Duration // before now, by the file's time
		want    time.Duration // until it has rested; it is looked at each second
		jump    time.Duration // of the clock, after three seconds
		writes  int           // seconds for which it goes on being written
	}{
		"moved here":             {written: time.Hour, want: 0},
		"just written":           {written: 0, want: settle},
		"still being written":    {written: 0, writes: 30, want: 30*time.Second + settle},
		"from the future":        {written: -1000 * time.Hour, want: settle},
		"clock set back":         {written: 0, jump: -48 * time.Hour, want: settle},
		"clock set forward":      {written: 0, jump: 48 * time.Hour, want: settle},
		"a server's clock ahead": {written: -5 * time.Minute, writes: 20, want: 20*time.Second + settle},
	} {
		t.Run(name, func(t *testing.T) {
			c := &handClock{wall: noon}
			r := NewRest(settle, c.clock())
			size, changed, offset := int64(1), noon.Add(-test.written), -test.written
			for second := 0; ; second++ {
				if second > 0 && second <= test.writes {
					size++
					changed = c.wall.Add(offset)
				}
				r.Begin()
				rested := r.Rested("a.jpg", size, changed)
				r.End(true)
				if rested {
					if got := time.Duration(second) * time.Second; got != test.want {
						t.Errorf("after %v, not %v", got, test.want)
					}
					break
				}
				if second > 100 {
					t.Fatal("it never rests")
				}
				c.pass(time.Second)
				if second == 3 {
					c.wall = c.wall.Add(test.jump)
				}
			}
			if r.Waiting() != 0 {
				t.Error("it still waits")
			}
		})
	}
	c := &handClock{wall: noon}
	r := NewRest(settle, c.clock())
	fsys := &fakeFS{}
	for i := range 1000 { // files that come and go leave nothing behind
		name := fmt.Sprintf("%d.jpg", i)
		fsys.put("/p/"+name, 1, c.wall)
		r.Begin()
		r.Rested(name, 1, c.wall)
		r.End(true)
		fsys.remove("/p/"+name, c.wall)
		c.pass(time.Second)
		r.AnyRested(t.Context(), fsys, "/p")
	}
	if r.Waiting() != 0 {
		t.Errorf("%d files wait that are not there", r.Waiting())
	}
}

// A file that waits and that no walk asks about any more, though none is complete, does not have walks follow each other.
func TestRestIncomplete(t *testing.T) {
	c, fsys := &handClock{wall: noon}, &fakeFS{}
	r := NewRest(10*time.Second, c.clock())
	fsys.put("/p/a.jpg", 1, noon)
	r.Begin()
	r.Rested("a.jpg", 1, noon)
	r.End(false)
	for range 100 {
		c.pass(10 * time.Second)
		if !r.AnyRested(t.Context(), fsys, "/p") {
			t.Fatal("it does not rest")
		}
		r.Begin()
		r.End(false)
		if at, due := r.Due(); !due || at <= c.elapsed {
			t.Fatalf("due at %v, it is %v", at, c.elapsed)
		}
	}
}

// A walk that was given up comes again after the usual interval, though no folder has changed.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := &fakeFS{}
		fsys.put("/p", 1, time.Now().Add(-time.Hour))
		fsys.put("/p/a.jpg", 1, time.Now().Add(-time.Hour))
		told := ""
		w := New(Options{Root: "/p", Rescan: time.Minute, Matters: isJPEG, FS: fsys, Tell: func(s State) { told = s.Away }})
		w.Begin()
		w.Folders.Enter(".")
		w.End(true)
		began := time.Now()
		w.Again(errors.New("why"))
		if told != "why" {
			t.Errorf("told %q", told)
		}
		if _, err := w.Wait(t.Context(), nil); err != nil || time.Since(began) > 2*time.Minute || told != "" {
			t.Errorf("%v after %v, told %q", err, time.Since(began), told)
		}
		ask := make(chan struct{}, 1)
		ask <- struct{}{}
		if asked, err := w.Wait(t.Context(), ask); !asked || err != nil {
			t.Errorf("%v, %v", asked, err)
		}
	})
}

func TestPlaces(t *testing.T) {
	fsys := &fakeFS{}
	for _, p := range []string{"/p", "/p/a.jpg", "/p/card", "/p/card/b.jpg", "/p/empty"} {
		fsys.put(p, 1, noon)
	}
	p := NewPlaces("/p", fsys)
	p.Learn([]string{"/p", "/p/card", "/p/empty"})
	check := func(what string, want ...string) {
		t.Helper()
		away := p.Away()
		if len(away) != len(want) {
			t.Errorf("%s: %v", what, away)
		}
		for _, w := range want {
			if away[w] == nil {
				t.Errorf("%s: %q is not away", what, w)
			}
		}
	}
	check("all is there")
	card := fsys.nodes["/p/card"]
	fsys.remove("/p/card", noon)
	check("unmounted, its folder removed", "/p/card")
	fsys.put("/p/card", 1, noon)
	fsys.nodes["/p/card"].id = 777
	check("unmounted, an empty folder left", "/p/card")
	fsys.put("/p/card/c.jpg", 1, noon)
	check("another card")
	fsys.nodes["/p/card"] = card
	check("the card is back")
	fsys.remove("/p/empty", noon)
	check("a folder in which nothing was")
	fsys.remove("/p/a.jpg", noon)
	check("somebody deleted a photo")
	fsys.remove("/p", noon)
	check("the root is gone", "/p", "/p/card")
	if err := p.Away()["/p"]; !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestMonth watches for a simulated month in which files come, are written for a while, and go, a disk goes away and comes back, the
// power fails, and the clock jumps. Nothing is left behind and nothing spins.
func TestMonth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := &fakeFS{}
		began := time.Now()
		for _, p := range []string{"/p", "/p/a", "/p/b", "/p/a/0.jpg"} {
			fsys.put(p, 1, began.Add(-time.Hour))
		}
		var jump atomic.Int64 // of the clock
		var paused atomic.Bool
		clock, states := SystemClock(), map[State]int{}
		clock.Wall = func() time.Time { return time.Now().Add(time.Duration(jump.Load())) }
		onBattery := func() string {
			if paused.Load() {
				return "battery"
			}
			return ""
		}
		w := New(Options{Root: "/p", Rescan: time.Minute, Settle: 10 * time.Second, Matters: isJPEG, FS: fsys, Clock: clock,
			Paused: onBattery, Tell: func(s State) { states[s]++ }})
		ctx, stop := context.WithCancel(t.Context())
		var walks, taken atomic.Int64
		done := make(chan error)
		round := func() {
			walks.Add(1)
			w.Begin()
			for _, rel := range fsys.folders("/p") {
				w.Folders.Enter(rel)
			}
			if info, err := fsys.Stat("/p/a/new.jpg"); err == nil && w.Rest.Rested("a/new.jpg", info.Size(), info.ModTime()) {
				taken.Add(1)
				fsys.remove("/p/a/new.jpg", clock.Wall())
			}
			w.Places.Learn([]string{"/p"})
			w.End(true)
		}
		go func() {
			for {
				round()
				if _, err := w.Wait(ctx, nil); err != nil {
					done <- err
					return
				}
			}
		}()
		time.Sleep(time.Minute)
		var heap [2]runtime.MemStats
		goroutines := 0
		const days, cycle = 30, 2 * time.Hour
		for i := range days * 12 {
			fsys.put("/p/a/new.jpg", int64(i), clock.Wall())
			time.Sleep(5 * time.Second)
			fsys.put("/p/a/new.jpg", int64(2*i+1), clock.Wall())
			switch i % 4 {
			case 1:
				jump.Add(int64(36 * time.Hour))
			case 2:
				jump.Add(-int64(72 * time.Hour))
			case 3:
				paused.Store(true)
				time.Sleep(20 * time.Minute)
				paused.Store(false)
				fsys.mu.Lock()
				root := fsys.nodes
				fsys.nodes = map[string]*node{}
				fsys.mu.Unlock()
				time.Sleep(20 * time.Minute)
				fsys.mu.Lock()
				fsys.nodes = root
				fsys.mu.Unlock()
			}
			time.Sleep(cycle - 5*time.Second)
			if n := taken.Load(); n != int64(i+1) {
				t.Fatalf("%d photos of %d were taken", n, i+1)
			}
			if i == 24 || i == days*12-1 {
				runtime.GC()
				runtime.ReadMemStats(&heap[min(i/25, 1)])
				if n := runtime.NumGoroutine(); i == 24 {
					goroutines = n
				} else if n > goroutines {
					t.Errorf("%d goroutines, at first %d", n, goroutines)
				}
			}
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if grown := int64(heap[1].HeapAlloc) - int64(heap[0].HeapAlloc); grown > 256<<10 {
			t.Errorf("the heap has grown by %d bytes", grown)
		}
		hours := int(time.Since(began) / time.Hour)
		if n := int(walks.Load()); n < hours || n > hours+8*days*12 {
			t.Errorf("%d walks in %d hours", n, hours)
		}
		fsys.mu.Lock()
		calls := fsys.calls
		fsys.mu.Unlock()
		if looks := calls / 4; looks > 3*int(time.Since(began)/time.Minute) {
			t.Errorf("%d looks in %v", looks, time.Since(began))
		}
		if states[State{Paused: "battery"}] == 0 || len(states) < 3 {
			t.Errorf("told of %v", states)
		}
		if len(w.Folders.known) != 3 || w.Rest.Waiting() != 0 {
			t.Errorf("%d folders, %d files wait", len(w.Folders.known), w.Rest.Waiting())
		}
		t.Logf("%d walks, %d calls in %v", walks.Load(), calls, time.Since(began))
	})
}

// A server that does not answer is waited for, with one goroutine; a stop does not wait for it.
func TestHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := &fakeFS{}
		fsys.put("/p", 1, time.Now().Add(-time.Hour))
		fsys.put("/p/a.jpg", 1, time.Now().Add(-time.Hour))
		told := ""
		w := New(Options{Root: "/p", Rescan: time.Minute, Matters: isJPEG, FS: fsys, Tell: func(s State) { told = s.Away }})
		walkAll := func() {
			w.Begin()
			w.Folders.Enter(".")
			w.End(true)
		}
		walkAll()
		fsys.hang = make(chan struct{})
		answer := make(chan error)
		go func() {
			_, err := w.Wait(t.Context(), nil)
			answer <- err
		}()
		before := runtime.NumGoroutine()
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		if told != "it does not answer" || runtime.NumGoroutine() > before+1 {
			t.Errorf("told %q, %d goroutines, before %d", told, runtime.NumGoroutine(), before)
		}
		close(fsys.hang)
		if err := <-answer; err != nil || told != "" {
			t.Errorf("%v, told %q", err, told)
		}
		walkAll()
		fsys.mu.Lock()
		fsys.hang = make(chan struct{})
		fsys.mu.Unlock()
		ctx, stop := context.WithCancel(t.Context())
		go func() {
			_, err := w.Wait(ctx, nil)
			answer <- err
		}()
		time.Sleep(time.Hour)
		stop()
		if err := <-answer; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		close(fsys.hang)
	})
}
