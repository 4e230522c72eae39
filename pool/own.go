package pool

// OwnMemory is this process's own memory in bytes, as the supervisor counts a
// worker's: anonymous pages and swap, without mapped files.
func OwnMemory() uint64 { return selfMemory() }
