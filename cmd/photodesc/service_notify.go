package main

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// serviceManager is told by a run how it is, when one has started it. A nil
// *serviceManager is told nothing. Telling never waits: a manager that does not
// listen must not hold up the run.
type serviceManager struct {
	every time.Duration // it wants a sign of life so often; 0 is never
	beat  atomic.Int64  // unix nanoseconds of the supervisor's last one; 0 before and after its work
	words chan notice
	quit  chan struct{}
}

// notice is a word to the service manager, or a question when it is said.
type notice struct {
	text string
	said chan struct{}
}

// goodbye is how long the last words may take.
const goodbye = time.Second

func findServiceManager() *serviceManager {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		every = 0
	}
	m := &serviceManager{every: every, words: make(chan notice, 16), quit: make(chan struct{})}
	go func() {
		for n := range m.words {
			if n.said != nil {
				close(n.said)
				return
			}
			_, _ = daemon.SdNotify(false, n.text)
		}
	}()
	return m
}

func (m *serviceManager) say(text string) {
	select {
	case m.words <- notice{text: text}:
	default:
	}
}

// ready says that the run has begun. Signs of life follow.
func (m *serviceManager) ready() {
	if m == nil {
		return
	}
	m.say(daemon.SdNotifyReady)
	if m.every > 0 {
		go m.watchdog()
	}
}

func (m *serviceManager) status(text string) {
	if m != nil {
		m.say("STATUS=" + oneLine(text))
	}
}

func (m *serviceManager) stopping() {
	if m != nil {
		m.beat.Store(0)
		m.say(daemon.SdNotifyStopping)
	}
}

// close waits a moment for the last words to be heard.
func (m *serviceManager) close() {
	if m == nil {
		return
	}
	close(m.quit)
	late := time.After(goodbye)
	last := notice{said: make(chan struct{})}
	select {
	case m.words <- last:
	case <-late:
		return
	}
	select {
	case <-last.said:
	case <-late:
	}
}

// alive is the supervisor's own sign of life: its loop has come round.
func (m *serviceManager) alive() {
	if m != nil {
		m.beat.Store(time.Now().UnixNano())
	}
}

// watchdog passes the supervisor's signs of life on, and is silent when they
// stop coming.
func (m *serviceManager) watchdog() {
	tick := time.NewTicker(m.every / 4)
	defer tick.Stop()
	for {
		if last := m.beat.Load(); last == 0 || time.Since(time.Unix(0, last)) < m.every/2 {
			m.say(daemon.SdNotifyWatchdog)
		}
		select {
		case <-m.quit:
			return
		case <-tick.C:
		}
	}
}
