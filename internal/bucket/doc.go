// Package bucket reads photos from object storage that speaks S3. It only lists and reads.
//
// A [Bucket] lists all keys below a prefix once and holds them in memory, sorted, about 110 bytes each. As a [photo.Tree] it is walked by
// the same rules as a folder: the '/' in keys divide folders. A [Fetcher] brings single photos into a [spool.Spool].
//
// Access keys come from where S3 programs have them: AWS_… variables, ~/.aws, the role of the machine. They are given to the client
// library and to nothing else.
package bucket
