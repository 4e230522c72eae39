// Package faultfs mounts a folder through a file system with faults that real ones
// have: inode numbers that are zero or equal, as on FUSE, network and merged file
// systems, folders that list a name twice, and unknown sizes. It is for tests only.
// It needs Linux with /dev/fuse, and root or fusermount.
package faultfs

import "os"

// Fault is a fault of the file system.
type Fault string

// The faults.
const (
	InodesZero  Fault = "ino0"        // all inode numbers are 0
	InodesSame  Fault = "ino7"        // all inode numbers are 7
	InodesAlike Fault = "collide"     // folders with names of equal length have the same inode number
	NamesTwice  Fault = "dirdup"      // folders list each name twice
	SizesZero   Fault = "size0"       // the size of each file is reported as 0
	TypesHidden Fault = "unknown"     // folders do not report the types of their entries
	OpensFail   Fault = "estale"      // no file can be opened
	ListBreaks  Fault = "listingends" // reading a folder fails after two names
)

// Available reports whether this machine can mount FUSE file systems.
func Available() bool {
	dir, err := os.MkdirTemp("", "faultfs")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	unmount, err := Mount("", dir, dir)
	if err != nil {
		return false
	}
	return unmount() == nil
}
