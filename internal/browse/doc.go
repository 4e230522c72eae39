// Package browse serves the page on which a person looks through the photos of a workdir,
// searches them, corrects their descriptions, and watches the run.
//
// The page is served on 127.0.0.1 only, by net/http, from files in the binary. Its scripts are
// plain modules without dependencies, and nothing on it comes from elsewhere.
//
// Photos are named by an ID, made of the path in a result line, and never by a path (library.go).
// The browser gets the IDs and shapes of all photos of a view at once, 10 bytes each, lays them
// out, and asks for texts and thumbnails of what is visible (list.go). Files are opened below the
// photo folder only (files.go); decoding happens in confined workers (package preview).
//
// Each request is checked in guard.go: the name in Host, against DNS rebinding; where the browser
// says that it comes from, against other pages; the cookie that only the address with the token
// sets; and on Linux the user at the other end of the connection (peer_linux.go).
package browse
