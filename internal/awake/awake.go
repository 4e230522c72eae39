// Package awake keeps a machine from going to sleep while a run works.
package awake

import "errors"

// ErrNoService means that nothing on this machine can be asked. A machine
// without such a service is often one that never sleeps, so it is worth a note
// and no more.
var ErrNoService = errors.New("no service here can keep this machine awake")

// who is what people see who ask their machine why it does not sleep.
const (
	who = "photodesc"
	why = "describing photos"
)

// Hold keeps the machine awake until release is called or this process ends.
// The text says who does it and against what, for the log.
func Hold() (text string, release func(), err error) { return hold() }
