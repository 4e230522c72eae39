package main

import (
	"os"
	"sync/atomic"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// serviceManager is told by a run how it is, when one has started it. A nil
// *serviceManager is told nothing.
type serviceManager struct {
	every time.Duration // it wants a sign of life so often; 0 is never
	beat  atomic.Int64  // unix nanoseconds of the supervisor's last one; 0 before and after its work
	quit  chan struct{}
}

func findServiceManager() *serviceManager {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		every = 0
	}
	return &serviceManager{every: every, quit: make(chan struct{})}
}

// ready says that the run has begun. Signs of life follow.
func (m *serviceManager) ready() {
	if m == nil {
		return
	}
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	if m.every > 0 {
		go m.watchdog()
	}
}

func (m *serviceManager) status(text string) {
	if m != nil {
		_, _ = daemon.SdNotify(false, "STATUS="+oneLine(text))
	}
}

func (m *serviceManager) stopping() {
	if m != nil {
		m.beat.Store(0)
		_, _ = daemon.SdNotify(false, daemon.SdNotifyStopping)
	}
}

func (m *serviceManager) close() {
	if m != nil {
		close(m.quit)
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
			_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
		}
		select {
		case <-m.quit:
			return
		case <-tick.C:
		}
	}
}
