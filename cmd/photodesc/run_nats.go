package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"photodesc/internal/cluster"
	"photodesc/internal/config"
	"photodesc/internal/ui"
)

// natsTarget is how the flags say that a NATS server of one's own is reached.
func natsTarget(f config.NATSFlags) cluster.Target {
	return cluster.Target{URL: f.URL, Context: f.Context, Creds: f.Creds, CA: f.CA, Cert: f.Cert, Key: f.Key}
}

// shownServers are the servers for a log: without user names and passwords.
func shownServers(f config.NATSFlags) string {
	if f.URL == "" {
		return "--nats-context " + f.Context
	}
	var shown []string
	for _, url := range strings.Split(f.URL, ",") {
		if scheme, rest, ok := strings.Cut(url, "://"); ok {
			if i := strings.LastIndexByte(rest, '@'); i >= 0 {
				url = scheme + "://" + rest[i+1:]
			}
		}
		shown = append(shown, url)
	}
	return strings.Join(shown, ",")
}

// replicas is how many copies of the queue a cluster keeps. A server that can keep only one does so.
func replicas(nc *cluster.Conn) int {
	if len(nc.DiscoveredServers())+1 >= 3 || len(nc.Servers()) >= 3 {
		return 3
	}
	return 1
}

// natsNotify tells of a connection that is lost or back, and of what the server does not allow.
func natsNotify(r *runner) func(error) {
	return func(err error) {
		var denied *cluster.DeniedError
		switch {
		case err == nil:
			r.log.Info("The NATS server can be reached again")
		case errors.As(err, &denied):
			r.log.Warn(ui.OneLine(err.Error()))
		default:
			r.log.Warn("The NATS server cannot be reached, trying on: " + ui.OneLine(err.Error()))
		}
	}
}

// queueError says why a NATS server has no queue for the run.
func queueError(err error) error {
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, nats.ErrNoResponders), errors.Is(err, nats.ErrJetStreamNotEnabled):
		return fmt.Errorf("the queue of the run cannot be made: the NATS server has no JetStream (%w)\n  start it with -js, or with jetstream {} in its configuration", err)
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount), errors.Is(err, nats.ErrJetStreamNotEnabledForAccount):
		return fmt.Errorf("the queue of the run cannot be made: this account of the NATS server has no JetStream (%w)\n  have whoever runs it allow that", err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the queue of the run cannot be made: the NATS server does not answer for JetStream (%w)\n  may this user publish to $JS.API.>? docs/cluster.md lists what a run needs", err)
	}
	return fmt.Errorf("the queue of the run cannot be made: %w\n  may this account of the NATS server have two streams of JetStream, of 64 and 32 MiB or more?", err)
}
