// Package photo finds photos under a folder and says what went wrong with one.
//
// It is pure Go, so that rooms which may not load C (the supervisor, the
// tracker, their tests) can use the walker and the errors. Turning a path into
// pixels is the job of [photodesc/internal/photo/vips], finding the preview inside a
// camera's RAW file that of [photodesc/internal/photo/raw].
package photo
