package ui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// dashboard is the live status on a terminal. It looks at the workdir once a
// second, as `status` does, and locks nothing.
type dashboard struct {
	dir           string
	width, height int
	now           time.Time
	seen          bool // there was a first look
	snap          Machine
	own           OwnNodes
	err           error // of the last look
}

func newDashboard(dir string, own OwnNodes) dashboard {
	return dashboard{dir: dir, own: own, width: 80, height: 24, now: time.Now()}
}

type dashboardLook struct {
	snap Machine
	err  error
}

type dashboardTick time.Time

func (d dashboard) Init() tea.Cmd { return d.look }

func (d dashboard) look() tea.Msg {
	s, err := Peek(d.dir)
	return dashboardLook{Machine{s, d.own()}, err}
}

func (d dashboard) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		d.width, d.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		switch msg.String() {
		case "q", "Q", "esc", "ctrl+c", "ctrl+d":
			return d, tea.Quit
		}
	case dashboardLook:
		if d.err = msg.err; msg.err == nil {
			d.snap = msg.snap
		}
		d.seen, d.now = true, time.Now()
		return d, tea.Tick(watchEvery, func(t time.Time) tea.Msg { return dashboardTick(t) })
	case dashboardTick:
		return d, d.look
	}
	return d, nil
}

func (d dashboard) View() tea.View {
	v := tea.NewView("")
	v.AltScreen = true
	v.WindowTitle = "photodesc"
	if d.seen {
		v.Content = drawDashboard(d.snap, d.err, d.now, d.width, d.height)
		if d.snap.TotalKnown {
			v.WindowTitle = fmt.Sprintf("photodesc %s", PercentText(d.snap.Percent()))
		}
	}
	return v
}
