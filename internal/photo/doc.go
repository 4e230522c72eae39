// Package photo finds photos under a folder and says what went wrong with one.
//
// It is pure Go, so that packages which must not load C (the supervisor, the
// tracker, their tests) can use the walker and the errors.
// [photodesc/internal/photo/vips] decodes photos, and
// [photodesc/internal/photo/raw] finds the preview in a camera's RAW file.
// docs/photo-decoding.md has the decisions about formats.
package photo
