// Package confine removes the rights of a process that reading photos does not need:
// to read other files, to write, to use the network, to start programs. Photos come
// from untrusted sources and are decoded by C libraries, so a hostile photo may take
// over the process that decodes it.
//
// A worker calls Apply after it has loaded its model and its libraries and before it
// opens the first photo. Apply cannot be undone.
package confine
