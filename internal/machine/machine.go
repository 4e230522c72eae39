// Package machine measures the machine: its memory and that of processes, the
// limits of control groups, the load of its processors, the temperature.
package machine

// OOMKills returns a count of the processes that the system has killed because
// memory ran out, as far as this process can see. Only its growth is meaningful.
func OOMKills() uint64 { return ownCgroup().oomKills() }
