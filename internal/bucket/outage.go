package bucket

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	awayInterval    = 2 * time.Second  // between questions whether the storage is back
	refusedInterval = 10 * time.Second // between questions while it refuses access

	// RefusedPatience is how long a storage may refuse access.
	RefusedPatience = 10 * time.Minute
)

// RefusedError is returned when the storage has refused access to all objects for a while, as it does when access keys have expired.
type RefusedError struct {
	Denied *DeniedError
	After  time.Duration
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the storage has refused access for %.0f minutes: %v", e.After.Minutes(), e.Denied.Why)
}

// Unwrap returns the reason.
func (e *RefusedError) Unwrap() error { return e.Denied }

// outage finds out whether objects other than one that could not be read can be read, and waits until they can.
type outage struct {
	bucket   *Bucket
	away     func(why error)
	turn     chan struct{}          // holds a token while one asks
	ended    atomic.Int64           // number of outages that have ended
	readable atomic.Pointer[string] // the object that was read last
	told     string                 // what kind of outage away was told; of the one who has the turn
}

// wait is called after rel could not be read. It returns at once, with false, if others can be, and otherwise, with true, when that has
// changed or an outage has ended since ended had the value before. The error is ctx's or a *RefusedError.
func (o *outage) wait(ctx context.Context, rel string, before int64) (away bool, err error) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if o.ended.Load() != before {
		return true, nil
	}
	for refused := time.Duration(0); ; {
		why := o.probe(ctx, rel)
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if why == nil {
			if o.tell("", nil); away {
				o.ended.Add(1)
			}
			return away, nil
		}
		away = true
		pause := awayInterval
		if denied, ok := asDenied(why); ok {
			o.tell("denied", why)
			if refused += refusedInterval; refused > RefusedPatience {
				return false, &RefusedError{denied, RefusedPatience}
			}
			pause = refusedInterval
			o.bucket.keys.Expire() // other keys may be in the files
		} else {
			o.tell("away", why)
			refused = 0
		}
		if err := o.bucket.sleep(ctx, pause); err != nil {
			return false, err
		}
	}
}

// tell calls away when the kind of outage has changed.
func (o *outage) tell(kind string, why error) {
	if kind != o.told && o.away != nil {
		o.away(why)
	}
	o.told = kind
}

// probe asks for the list and for a byte of other objects. It returns nil if one of these can be read or there are none.
func (o *outage) probe(ctx context.Context, rel string) error {
	why := o.bucket.Available(ctx)
	if why != nil {
		return why
	}
	others := o.bucket.samples(rel)
	if last := o.readable.Load(); last != nil && *last != rel {
		others = append([]string{*last}, others...)
	}
	for _, other := range others {
		_, err := o.bucket.head(ctx, other, 1)
		if err == nil || final(err) { // what is said of one object is an answer, too
			return nil
		}
		why = o.bucket.explain(err)
	}
	return why
}

// samples returns a few objects other than rel that are not empty, from far away in the list.
func (b *Bucket) samples(rel string) (paths []string) {
	n := len(b.objects)
	at := b.from(rel)
	for _, part := range []int{n / 3, 2 * n / 3} {
		for i := range min(n, 100) {
			x := &b.objects[(at+part+i)%n]
			if x.size > 0 && x.rel != rel && (len(paths) == 0 || paths[0] != x.rel) {
				paths = append(paths, x.rel)
				break
			}
		}
	}
	return paths
}
