package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"strings"
)

// Intact compares a file with the SHA-256 that was noted when it was fetched. known is
// false if none was.
func Intact(ctx context.Context, path string) (intact, known bool, err error) {
	b, err := os.ReadFile(path + sumSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return false, false, nil
	}
	want, _, _ := strings.Cut(string(b), " ")
	if err != nil || sha256Of(want) == "" {
		return false, false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return false, true, err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, readerContext{ctx, f}); err != nil {
		return false, true, err
	}
	return hex.EncodeToString(sum.Sum(nil)) == want, true, nil
}

// readerContext is a reader that fails once its context is done.
type readerContext struct {
	ctx context.Context
	r   io.Reader
}

func (r readerContext) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(b)
}
