// Package gallery writes photos and their descriptions as static pages, which need no
// server and no network: a folder with pages and pictures, or one page with all in it.
//
// The photos come in any order. [Spool] keeps them in a temporary file and sorts their
// paths in memory, some 100 MB for a million photos.
package gallery
