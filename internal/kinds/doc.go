// Package kinds holds the values that several packages write to the outputs and
// that may not import each other: kinds of failure and why an answer ended.
package kinds
