// Package xmp puts descriptions into XMP sidecars, the files beside photos from which
// photo programs read what is known of them, and takes them out again.
//
// What somebody else wrote is never changed. [Update] adds one rdf:Description, the
// block, before the end of the RDF, and keywords at the end of lists that are there;
// every other byte stays. [Remove] takes out what [Update] put in; after an Update that
// nothing else has touched the bytes are the original ones, and Update checks this
// before it returns.
//
// Other programs rewrite sidecars. The block therefore has properties of a namespace of
// our own, which they keep: hashes of our texts and the keywords that were added. A text
// that does not have the hash any more belongs to the person who changed it.
//
// [Written] reads what persons have written, by the same hashes without what photodesc wrote.
//
// [Sidecars] finds and replaces the files; its part embedded reads what is inside a photo,
// from which a new sidecar begins, because some programs ignore what is embedded as soon
// as there is a sidecar.
package xmp
