package hub_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"photodesc/internal/models/hub"
)

// Several processes, and one that is killed.

// Two processes at once: one fetches, the other waits and uses it.
func TestTwoProcesses(t *testing.T) {
	s := newScene(t)
	s.Break(func(host string, n int, w http.ResponseWriter, _ *http.Request) bool {
		if host == "store" {
			time.Sleep(300 * time.Millisecond)
		}
		return false
	})
	outs := make(chan string)
	for range 3 {
		go func() { outs <- runSelf(t, "fetch", s.dst) }()
	}
	all := <-outs + <-outs + <-outs
	s.arrived(nil)
	if n := len(s.Seen("store", "")); n != 1 {
		t.Errorf("fetched %d times", n)
	}
	if strings.Count(all, "waits=1") != 2 || strings.Count(all, "ok") != 3 {
		t.Error(all)
	}
}

// The one that fetches dies; the one that waits goes on with its part.
func TestProcessKilled(t *testing.T) {
	s := newScene(t)
	half := make(chan bool, 1)
	s.first(1, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(s.data)))
		w.Write(s.data[:600_000])
		http.NewResponseController(w).Flush()
		half <- true
		<-r.Context().Done()
	})
	cmd := self(t, "fetch", s.dst)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-half
	out := make(chan string)
	go func() { out <- runSelf(t, "fetch", s.dst) }()
	for end := time.Now().Add(10 * time.Second); hub.Partial(s.dst) < 600_000 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
	cmd.Process.Kill()
	cmd.Wait()
	if text := <-out; !strings.Contains(text, "ok") || !strings.Contains(text, "have=600000") {
		t.Error(text)
	}
	s.arrived(nil)
}

// self runs this test program again, as another process that fetches.
func self(t *testing.T, what, dst string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestSelf$")
	cmd.Env = append(os.Environ(), "HUB_SELF="+what, "HUB_DST="+dst)
	return cmd
}

func runSelf(t *testing.T, what, dst string) string {
	out, _ := self(t, what, dst).CombinedOutput()
	return string(out)
}

func TestSelf(t *testing.T) {
	if os.Getenv("HUB_SELF") == "" {
		t.Skip("only as another process")
	}
	c, err := hub.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	c.Pause = time.Millisecond
	var h heard
	if err := c.Fetch(t.Context(), repo, file, os.Getenv("HUB_DST"), &h); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("ok waits=%d have=%d\n", h.waits, h.have)
}
