package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// status returns the error for an answer that is not a success.
func (c *Client) status(resp *http.Response, repo, path string) error {
	what := repo
	if path != "" {
		what = fmt.Sprintf("%s of %s", path, repo)
	}
	from := resp.Request.URL.Host
	switch code := resp.StatusCode; code {
	case http.StatusOK, http.StatusPartialContent:
		return nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return permanent(c.refused(resp, what, repo))
	case http.StatusNotFound, http.StatusGone:
		name, revision := Revision(repo)
		if resp.Header.Get("X-Error-Code") == "RevisionNotFound" {
			return permanent(fmt.Errorf("%s has no revision %s of %s\n  give a commit, a tag or a branch that %s lists", c.Host(), revision, name, c.Address(name, "")))
		}
		if path == "" {
			return permanent(fmt.Errorf("%s has no model %s", c.Host(), repo))
		}
		return permanent(fmt.Errorf("%s has no file %s in %s", c.Host(), path, repo))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		err := fmt.Errorf("%s is busy (%s)", from, httpText(code))
		wait := retryAfter(resp.Header.Get("Retry-After"))
		if wait > longestWait {
			return permanent(fmt.Errorf("%w and wants to be asked again in %s", err, wait.Round(time.Second)))
		}
		if wait > 0 {
			return &waitError{err, wait}
		}
		return err
	default:
		err := fmt.Errorf("%s answers %s for %s", from, httpText(code), what)
		if code >= 500 || code == http.StatusRequestTimeout {
			return err
		}
		return permanent(err)
	}
}

// refused returns the error for a refusal and what to do: get an account, agree to the
// licence, or check the name. The hub also answers 401 for what does not exist.
func (c *Client) refused(resp *http.Response, what, repo string) error {
	switch {
	case !c.home(resp.Request.URL):
		return fmt.Errorf("%s refuses %s (%s)", resp.Request.URL.Host, what, httpText(resp.StatusCode))
	case resp.Header.Get("X-Error-Code") == "GatedRepo":
		return fmt.Errorf("%s gives %s only to accounts that have agreed to its licence\n  agree on %s, and set HF_TOKEN to a token of that account", c.Host(), what, c.Address(repo, ""))
	case c.token == "":
		return fmt.Errorf("%s does not give %s without an account, or there is no such model\n  check the name; for a private model set HF_TOKEN", c.Host(), what)
	}
	return fmt.Errorf("%s does not give %s to the account of %s, or there is no such model\n  check the name and the token", c.Host(), what, c.tokenFrom)
}

func httpText(code int) string { return fmt.Sprintf("%d %s", code, http.StatusText(code)) }

// longestWait limits the Retry-After that is waited for.
const longestWait = 10 * time.Minute

// retryAfter parses seconds or a date; 0: none.
func retryAfter(value string) time.Duration {
	if n, err := strconv.Atoi(value); err == nil && n >= 0 {
		return max(time.Duration(min(n, 1<<30))*time.Second, time.Millisecond)
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(time.Until(t), time.Millisecond)
	}
	return 0
}

// waitError is worth a retry after a pause that the server chose.
type waitError struct {
	err  error
	wait time.Duration
}

func (e *waitError) Error() string { return e.err.Error() }
func (e *waitError) Unwrap() error { return e.err }

// permanentError is not worth a retry.
type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

func permanent(err error) error { return &permanentError{err} }

// retry calls do until it succeeds, fails permanently, or has failed c.Tries times
// without progress, which the function progress returns as a growing number.
func retry[T any](ctx context.Context, c *Client, what string, p Progress, do func() (T, error), progress ...func() int64) (T, error) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.Multiplier, pause.MaxInterval = c.Pause, 2, 60*c.Pause
	failures, reached := 0, int64(0)
	operation := func() (T, error) {
		v, err := do()
		if err == nil {
			return v, nil
		}
		if ctx.Err() != nil {
			return v, backoff.Permanent(context.Cause(ctx))
		}
		tries := c.Tries
		if len(progress) > 0 {
			if at := progress[0](); at > reached {
				reached, failures = at, 0
				pause.Reset()
			}
		} else if Unreachable(err) {
			tries = min(tries, 3) // nothing has begun: tell soon that there is no network
		}
		failures++
		var last *permanentError
		if errors.As(err, &last) {
			return v, backoff.Permanent(last.err)
		}
		if failures >= tries {
			return v, backoff.Permanent(err)
		}
		var wait *waitError
		if errors.As(err, &wait) {
			return v, errors.Join(err, &backoff.RetryAfterError{Duration: wait.wait})
		}
		return v, err
	}
	notify := func(err error, wait time.Duration) {
		var w *waitError
		if errors.As(err, &w) {
			err = w.err
		}
		if p != nil {
			p.Retry(what, err, wait)
		}
	}
	return backoff.Retry(ctx, operation, backoff.WithBackOff(pause), backoff.WithMaxElapsedTime(0), backoff.WithNotify(notify))
}
