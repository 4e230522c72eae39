// Package search finds photos of a workdir by the words of their descriptions. Its index (SQLite's FTS5) is a cache: it is
// made from the outputs, brought up to date before each search, and made anew where it is damaged, old or of other outputs.
package search
