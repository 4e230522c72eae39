package models

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

const (
	samples    = 64
	sampleSize = 16 << 10
)

// Fingerprint identifies a model by the content of its files, whatever their names
// and folders. It is 32 hexadecimal digits of a SHA-256 of the sizes of both files and
// of 64 samples of 16 KiB spread over each: reading two gigabytes would delay every
// start by seconds.
func (f Files) Fingerprint() (string, error) {
	h := sha256.New()
	for _, path := range []string{f.Text, f.Vision} {
		if err := sample(h, path); err != nil {
			return "", fmt.Errorf("the model file cannot be read: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

func sample(to io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	fmt.Fprintf(to, "%d\n", size)
	if size <= samples*sampleSize {
		_, err := io.Copy(to, f)
		return err
	}
	for i := range int64(samples) {
		at := (size - sampleSize) / (samples - 1) * i
		if i == samples-1 {
			at = size - sampleSize
		}
		if _, err := io.Copy(to, io.NewSectionReader(f, at, sampleSize)); err != nil {
			return err
		}
	}
	return nil
}
