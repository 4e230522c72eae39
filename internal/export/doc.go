// Package export writes what is known of photos for other programs: as tables, as
// files beside the photos, and as pages.
//
// It knows records, not where they come from. Files are written whole and then put in
// their place. A [Ledger] in the workdir has a digest of each file that was written, so
// that a file which a person wrote or changed is known and left alone.
package export
