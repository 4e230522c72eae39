// Package confine takes from a process what reading photos does not need: the
// rest of the disk, all writing, the network, other programs. The photos come
// from anywhere and are decoded by C libraries; if one of them is made to
// misbehave, there is little left that it could do.
//
// It is meant for a worker, which calls Apply once it has loaded its model and
// its libraries and before it opens the first photo. Nothing can be taken back.
package confine
