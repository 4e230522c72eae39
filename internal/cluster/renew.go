package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"photodesc/internal/wording"
)

// This file makes streams anew that a NATS server has lost, as one whose disk was replaced, or that somebody has removed.

// queue is the streams as they are now.
func (c *Coordinator) queue() *streams { return c.streams.Load() }

// readAnswers passes results on until ctx ends, those of streams that are made anew included. It closes in.
func (c *Coordinator) readAnswers(ctx context.Context, in chan<- jetstream.Msg) {
	defer close(in)
	for ctx.Err() == nil {
		st := c.queue()
		it, err := st.answers.Messages(jetstream.PullMaxMessages(1024))
		if err != nil {
			c.doubtStreams(err)
			pause(ctx, time.Second)
			continue
		}
		reading, end := context.WithCancel(ctx)
		context.AfterFunc(reading, it.Stop)
		go func() {
			select {
			case <-st.replaced:
			case <-reading.Done():
			}
			end()
		}()
		c.passAnswers(ctx, it, in)
		end()
		select {
		case <-st.replaced:
		default:
			pause(ctx, 200*time.Millisecond)
		}
	}
}

func (c *Coordinator) passAnswers(ctx context.Context, it jetstream.MessagesContext, in chan<- jetstream.Msg) {
	for {
		m, err := it.Next()
		if err != nil {
			c.doubtStreams(err)
			if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
				return
			}
			continue // as while the server is away
		}
		select {
		case in <- m:
		case <-ctx.Done():
			return
		}
	}
}

// doubtStreams has the streams looked at if an error may mean that they are not there.
func (c *Coordinator) doubtStreams(err error) {
	for _, sign := range []error{nats.ErrNoResponders, jetstream.ErrNoStreamResponse, jetstream.ErrStreamNotFound, jetstream.ErrConsumerNotFound,
		jetstream.ErrConsumerDeleted, jetstream.ErrNoHeartbeat} {
		if errors.Is(err, sign) {
			c.suspect.Store(true)
		}
	}
}

// lookAtStreams makes the streams anew if the server does not have them any more.
func (c *Coordinator) lookAtStreams(ctx context.Context) {
	if !c.suspect.Load() || !c.cfg.Conn.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	st := c.queue()
	switch gone, err := st.gone(ctx, c.subjects); {
	case err != nil: // the server is away
		return
	case !gone:
		c.suspect.Store(false)
		return
	}
	renewed, err := c.openStreams(ctx)
	if err != nil {
		return
	}
	c.streams.Store(renewed)
	close(st.replaced)
	c.suspect.Store(false)
	c.mu.Lock()
	n := c.ledger.backAll(inQueue)
	c.changed.Broadcast()
	c.mu.Unlock()
	c.cfg.Warn(fmt.Sprintf("The NATS server has lost the queue of this run; it was made anew, and %s handed out again", wording.Count(n, "photo")))
}

// gone is whether a stream or a consumer is not there.
func (st *streams) gone(ctx context.Context, s subjects) (bool, error) {
	for _, name := range []string{s.jobStream(), s.resultStream()} {
		_, err := st.js.Consumer(ctx, name, consumerName)
		if errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrConsumerNotFound) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}
