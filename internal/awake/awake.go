// Package awake keeps a machine from going to sleep while a run works.
package awake

import "errors"

// ErrNoService means that this machine has no service that prevents sleep. It often
// is a server that never sleeps, so a note in the log is enough.
var ErrNoService = errors.New("no service here can keep this machine awake")

// The name and reason that the system shows for the lock.
const (
	who = "photodesc"
	why = "describing photos"
)

// Hold keeps the machine awake until release is called or this process ends. The
// text is for the log: which service does it, and what it prevents.
func Hold() (text string, release func(), err error) { return hold() }
