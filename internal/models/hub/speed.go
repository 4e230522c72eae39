package hub

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

const (
	speedBytes = 32 << 20        // the most that is fetched for a measurement
	speedTime  = 2 * time.Second // and how long
	speedWait  = 8 * time.Second // for an answer, too
)

// Speed measures how fast the beginning of a file comes, in bytes a second. It takes two seconds at the most once the hub
// has answered, keeps nothing and does not try again.
func (c *Client) Speed(ctx context.Context, repo, path string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, speedWait)
	defer cancel()
	resp, err := c.follow(ctx, http.MethodGet, c.fileURL(repo, path), nil, nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if err := c.status(resp, repo, path); err != nil {
		return 0, err
	}
	began := time.Now()
	timer := time.AfterFunc(speedTime, cancel)
	defer timer.Stop()
	n, err := io.Copy(io.Discard, io.LimitReader(resp.Body, speedBytes))
	if n == 0 {
		return 0, errors.Join(errors.New("the hub sends nothing"), err)
	}
	return float64(n) / max(time.Since(began).Seconds(), 0.001), nil
}
