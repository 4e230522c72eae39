// Package pool runs photos through worker processes and lets none of them end
// the run.
//
// The work is done in C, and C leaks, aborts and hangs. So it is done in other
// processes: a Pool starts workers, gives each a batch of photos, takes the
// answers back and replaces the process when its batch is done; the operating
// system then takes back whatever was lost. A death of a worker is a normal
// result here. It is told apart by its cause, costs the photos in flight one
// more attempt, and only a photo that kills a worker twice while nothing else
// is in flight is recorded as failed.
//
// The package knows neither photos nor models: a photo is a path, an answer is
// JSON that is handed on unread. Both ends of the line between supervisor and
// worker are in protocol.go and serve.go; the supervisor proper is one
// goroutine (run.go) that owns all state and is told everything by channel.
package pool
