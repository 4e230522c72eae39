package main

import (
	"strings"

	"github.com/nats-io/nats.go"

	"photodesc/internal/cluster"
	"photodesc/internal/config"
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

// replicas is how many copies of the queue a cluster keeps.
func replicas(nc *nats.Conn) int {
	if len(nc.DiscoveredServers())+1 >= 3 || len(nc.Servers()) >= 3 {
		return 3
	}
	return 1
}
