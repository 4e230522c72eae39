// Package storage finds out whether the photo folder is there: what is mounted
// below it, what links in it lead to, and whether a photo that cannot be read is
// lost alone or with its disk.
package storage
