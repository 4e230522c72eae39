// Package faultfs mounts a folder through a file system with the faults of real
// ones, for tests: inode numbers that are zero or alike as on FUSE, network and
// merged file systems, names that a folder lists twice, sizes that are not known.
// It needs Linux and /dev/fuse, and root or fusermount. Nothing that is shipped
// imports it.
package faultfs

import "os"

// Fault is what is wrong with the file system.
type Fault string

// The faults.
const (
	InodesZero  Fault = "ino0"        // all inode numbers are 0
	InodesSame  Fault = "ino7"        // all inode numbers are 7
	InodesAlike Fault = "collide"     // folders whose names are of one length have one number
	NamesTwice  Fault = "dirdup"      // folders list each name twice
	SizesZero   Fault = "size0"       // files have size 0 and their content
	TypesHidden Fault = "unknown"     // folders do not say what their entries are
	OpensFail   Fault = "estale"      // no file can be opened
	ListBreaks  Fault = "listingends" // reading a folder fails after two names
)

// Available reports whether something can be mounted on this machine.
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
