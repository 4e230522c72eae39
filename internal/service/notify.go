package service

import (
	"os"
	"sync/atomic"
	"time"

	"photodesc/internal/ui"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Manager is told by a run how it is, when one has started it. A nil
// *serviceManager is told nothing. Telling never waits: a manager that does not
// listen must not hold up the run.
type Manager struct {
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

// FindManager returns the service manager that started this process, nil if none did.
func FindManager() *Manager {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		every = 0
	}
	m := &Manager{every: every, words: make(chan notice, 16), quit: make(chan struct{})}
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

func (m *Manager) say(text string) {
	select {
	case m.words <- notice{text: text}:
	default:
	}
}

// Ready says that the run has begun. Signs of life follow.
func (m *Manager) Ready() {
	if m == nil {
		return
	}
	m.say(daemon.SdNotifyReady)
	if m.every > 0 {
		go m.watchdog()
	}
}

// Status tells the service manager in a line how the run is.
func (m *Manager) Status(text string) {
	if m != nil {
		m.say("STATUS=" + ui.OneLine(text))
	}
}

// Idle has the watchdog messages go on without signs of life: the supervisor's work is over, and what follows may take long.
func (m *Manager) Idle() {
	if m != nil {
		m.beat.Store(0)
	}
}

// Stopping tells the service manager that the run is ending. It then waits for a limited time.
func (m *Manager) Stopping() {
	if m != nil {
		m.beat.Store(0)
		m.say(daemon.SdNotifyStopping)
	}
}

// Close ends the watchdog messages and waits a moment for the last words to be heard.
func (m *Manager) Close() {
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

// Alive is the supervisor's own sign of life: its loop has come round.
func (m *Manager) Alive() {
	if m != nil {
		m.beat.Store(time.Now().UnixNano())
	}
}

// watchdog passes the supervisor's signs of life on, and is silent when they
// stop coming.
func (m *Manager) watchdog() {
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
