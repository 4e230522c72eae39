package machine

import "runtime"

// CPUs is how many processors this process may keep busy: the machine's, those
// that it is bound to, or the quota of its control group rounded up, whichever is
// least. Go's runtime looks at all of these for GOMAXPROCS, and a person may set
// that variable. It counts no quota below 2.
func CPUs() int { return runtime.GOMAXPROCS(0) }
