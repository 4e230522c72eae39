// Package kinds holds words that several packages share and that may not import
// each other: kinds of failure, why an answer ended, families of models.
package kinds
