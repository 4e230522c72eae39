// Package storage finds out whether the photo folder is available. It knows the
// file systems mounted below it and the targets of links in it, and tells a photo
// that cannot be read from one on a disk or server that is unavailable.
package storage
