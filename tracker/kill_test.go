package tracker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// helperDir in the environment makes the test binary a run that describes
// photos in that workdir until it is killed or done.
const helperDir = "PHOTODESC_TEST_WORKDIR"

const helperPhotos = 3000

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperDir); dir != "" {
		helperRun(dir)
		return
	}
	os.Exit(m.Run())
}

func helperPath(i int) string { return fmt.Sprintf("%02d/photo\n%04d.jpg", i%37, i) }

func helperRun(dir string) {
	tr, err := Open(dir, Options{Root: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c := tr.Counts()
	tr.Live().SetPhotos(helperPhotos-c.Done-c.Failed, 0, 0)
	fmt.Println("open")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := w; i < helperPhotos; i += 4 {
				path := helperPath(i)
				if _, failed := tr.Failed(path); failed || tr.Done(path) {
					continue
				}
				r := okRecord(path)
				if i%50 == 3 {
					r = failedRecord(path, Timeout)
				}
				if err := tr.Add(r); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				// Slow enough for the kill to come in the middle.
				time.Sleep(time.Duration(rand.IntN(600)) * time.Microsecond)
				// What was counted is said, so that the test can hold
				// the files to it.
				fmt.Fprintf(os.Stdout, "counted %d\n", i)
			}
		})
	}
	wg.Wait()
	tr.Live().Stop(Finished, "")
	if err := tr.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestKilled kills a run at random moments until it is through, at least
// thirty times.
func TestKilled(t *testing.T) {
	dir := memDir(t)
	counted := map[int]bool{}
	kills, torn := 0, 0
	for runs := 0; ; runs++ {
		if runs > 2000 {
			t.Fatal("never finishes")
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), helperDir+"="+dir)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Each run is killed after a few photos, so that all kills together
		// leave work for the last run.
		limit := 1 + rand.IntN(helperPhotos/60)
		killed := false
		var word string
		var n int
		for seen := 0; ; {
			if _, err := fmt.Fscan(out, &word); err != nil {
				break
			}
			if word != "counted" {
				continue
			}
			if _, err := fmt.Fscan(out, &n); err != nil {
				break
			}
			if counted[n] {
				t.Fatalf("photo %d was described again", n)
			}
			counted[n] = true
			if seen++; seen == limit && kills < 45 {
				time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
				cmd.Process.Kill()
				killed = true
				kills++
			}
		}
		if err := cmd.Wait(); err != nil && !killed {
			t.Fatal(err)
		}
		if !killed {
			break
		}
		s, err := Peek(dir)
		if err != nil || s.Running || !s.Died {
			t.Fatalf("running %v, died %v, %+v, %v", s.Running, s.Died, s.Stop, err)
		}
		// Opening here as well counts what the kills left half done.
		tr := open(t, dir, Options{Root: dir})
		for _, note := range tr.Notes() {
			if note.Line > 0 {
				torn++
			}
		}
		for i := range counted {
			_, failed := tr.Failed(helperPath(i))
			if !tr.Done(helperPath(i)) && !failed {
				t.Fatalf("photo %d was counted and is lost", i)
			}
		}
		closeTracker(t, tr)
		checkFiles(t, dir)
	}
	tr := open(t, dir, Options{Root: dir})
	c := tr.Counts()
	if c.Done+c.Failed != helperPhotos {
		t.Fatalf("%+v", c)
	}
	closeTracker(t, tr)
	done := checkFiles(t, dir)
	t.Logf("%d kills, %d photos described, %d failed, %d torn lines cut off", kills, len(done), c.Failed, torn)
	if kills < 30 {
		t.Errorf("only %d kills", kills)
	}
}

func TestConcurrentAdds(t *testing.T) {
	dir := t.TempDir()
	tr := open(t, dir, Options{})
	const photos, callers = 300, 16
	var wg sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for range callers {
		wg.Go(func() {
			// All want to add all; each photo is taken once.
			for _, i := range rand.Perm(photos) {
				err := tr.Add(okRecord(helperPath(i)))
				if err != nil && !errors.Is(err, ErrDone) {
					t.Error(err)
				}
				mu.Lock()
				if err != nil {
					refused++
				}
				mu.Unlock()
				tr.Counts()
				tr.Failed(helperPath(i))
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			if _, err := Peek(dir); err != nil {
				t.Error(err)
			}
			tr.Live().Sample(Sample{SupervisorBytes: 1})
		}
	})
	wg.Wait()
	closeTracker(t, tr)
	if got := checkFiles(t, dir); len(got) != photos || refused != photos*(callers-1) {
		t.Error(len(got), refused)
	}
}
