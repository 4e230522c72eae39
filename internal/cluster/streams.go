package cluster

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// maxQueue bounds the jobs that are published and not acknowledged.
	maxQueue = 20_000
	// maxNodeResults bounds the results of one node that are not on record yet, so that it cannot take the room of others.
	maxNodeResults = 512
	maxDeliver     = 3 // of one publication
	// duplicateWindow is how long the server knows the IDs of messages, for what is sent again after a lost acknowledgement. The
	// ledger knows later ones. Each ID takes some 200 bytes.
	duplicateWindow = 3 * time.Second
)

// streams are what a run needs of JetStream.
type streams struct {
	js      jetstream.JetStream
	jobs    jetstream.Stream
	results jetstream.Stream
	taken   jetstream.Consumer // of jobs, shared by nodes and by this machine
	answers jetstream.Consumer
}

// storage says how streams are kept.
type storage struct {
	memory   bool // jobs in memory: they are published again after a crash
	replicas int
	ackWait  time.Duration
}

// openStreams makes the streams of a run, or finds them. Jobs of an earlier coordinator are removed.
func openStreams(ctx context.Context, nc *nats.Conn, s subjects, o storage) (*streams, error) {
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(1024))
	if err != nil {
		return nil, err
	}
	st := &streams{js: js}
	kind := jetstream.FileStorage
	if o.memory {
		kind = jetstream.MemoryStorage
	}
	jobs := jetstream.StreamConfig{
		Name: s.jobStream(), Subjects: []string{s.job()}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
		MaxMsgs: maxQueue, Storage: kind, Replicas: o.replicas, Duplicates: duplicateWindow,
	}
	if st.jobs, err = js.CreateOrUpdateStream(ctx, jobs); err != nil {
		return nil, err
	}
	if err = st.jobs.Purge(ctx); err != nil {
		return nil, err
	}
	if st.results, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: s.resultStream(), Subjects: []string{s.results()}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
		MaxMsgsPerSubject: maxNodeResults, DiscardNewPerSubject: true, MaxMsgSize: maxResult, MaxBytes: 512 << 20,
		Storage: jetstream.FileStorage, Replicas: o.replicas, Duplicates: duplicateWindow,
	}); err != nil {
		return nil, err
	}
	if st.taken, err = st.jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: o.ackWait, MaxDeliver: maxDeliver,
		MaxAckPending: maxQueue, MaxWaiting: 8192, Replicas: o.replicas, MemoryStorage: o.memory,
	}); err != nil {
		return nil, err
	}
	st.answers, err = st.results.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute, MaxDeliver: -1,
		MaxAckPending: 8192, Replicas: o.replicas,
	})
	return st, err
}

// remove removes the streams when nothing is left to do.
func (s *streams) remove(ctx context.Context, names subjects) {
	_ = s.js.DeleteStream(ctx, names.jobStream())
	_ = s.js.DeleteStream(ctx, names.resultStream())
}
