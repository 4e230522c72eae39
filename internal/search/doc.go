// Package search finds photos of a workdir by the words of their descriptions.
//
// Its index (SQLite's FTS5) is a cache of the outputs. It records how far each
// output file was read and a hash of the bytes before that place, so a search reads
// only what was added. A run indexes its descriptions as it goes. It is rebuilt if it is damaged, has an old layout, or the
// outputs were changed. If the workdir cannot be written, the index is in the
// user's cache folder.
//
// Only the newest 300 matches are ranked. FTS5's own ranking takes the matches of
// each word in all descriptions, which is more than a second for a common word in a
// million of them. The newest matches are copied to a table in memory, ranked there
// by bm25, and their words are marked there.
//
// A person's corrections are indexed in place of the model's words, which texts keeps to
// have them again. The dates taken and the folders of a photo are words of a column of
// their own, so that narrowing a search by them costs no more than a word.
//
// Scripts without spaces between words are indexed by character, and a word in such
// a script is searched as a phrase. A trigram index would not find words of two
// characters, which most Chinese words are.
package search
