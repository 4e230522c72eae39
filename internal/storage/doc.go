// Package storage finds out whether the photo folder is available: what is
// mounted below it, where links in it lead, and whether a photo that cannot be
// read is a bad photo or is on a disk that is away.
package storage
