// Package machine looks at the machine: its memory and that of processes, control
// groups, the load of its processors, the temperature.
package machine

// OOMKills counts the processes that the system has killed for memory, as far as
// this one can see. Only its growth means anything.
func OOMKills() uint64 { return ownCgroup().oomKills() }
