package cluster

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// maxQueue bounds the jobs that are published and not acknowledged.
	maxQueue = 20_000
	// maxNodeResults bounds the results of one node that are not on record yet, so that it cannot take the room of others.
	maxNodeResults = 512
	maxDeliver     = 3 // of one publication
	// duplicateWindow is how long the server knows the IDs of messages. Ours have none: the ledger knows which photos have a result, and
	// each ID would take 250 bytes of the server. This is the least that NATS allows, for strangers who send some.
	duplicateWindow = 100 * time.Millisecond
)

// streams are what a run needs of JetStream.
type streams struct {
	js      jetstream.JetStream
	jobs    jetstream.Stream
	results jetstream.Stream
	taken   jetstream.Consumer // of jobs, shared by nodes and by this machine
	answers jetstream.Consumer

	replaced chan struct{} // closed when others have taken their place
}

// storage says how streams are kept.
type storage struct {
	memory   bool // jobs in memory: they are published again after a crash
	replicas int
	bytes    int64 // of all results that are not on record yet
	ackWait  time.Duration
}

const (
	// maxJobBytes bounds all jobs that are published and not acknowledged. Some accounts allow no stream without a bound.
	maxJobBytes = 64 << 20
	// maxResultBytes is storage.bytes, fewResultBytes where an account may not have as much.
	maxResultBytes, fewResultBytes = 512 << 20, 32 << 20
)

// Codes of errors of JetStream's interface.
const (
	codeNoPeers       = 10005 // too few servers for so many copies
	codeNoReplicas    = 10074 // the server is no cluster
	codeAccount       = 10002 // and the following: an account or a server has no room for a stream of that size
	codeResources     = 10023
	codeMemory        = 10028
	codeStorage       = 10047
	codeStreamTooLong = 10122
)

// openStreams makes the streams of a run, or finds them. Jobs of an earlier coordinator are removed. A server that cannot keep copies
// keeps one, and one with little room gets smaller streams.
func (c *Coordinator) openStreams(ctx context.Context) (*streams, error) {
	js, err := c.cfg.Conn.jetStream(jetstream.WithPublishAsyncMaxPending(1024))
	if err != nil {
		return nil, err
	}
	o := storage{memory: c.cfg.Memory, replicas: c.cfg.Replicas, bytes: maxResultBytes, ackWait: c.cfg.AckWait}
	for {
		st := &streams{js: js, replaced: make(chan struct{})}
		err := st.open(ctx, c.subjects, o)
		var api *jetstream.APIError
		switch {
		case err == nil:
			return st, nil
		case !errors.As(err, &api):
			return nil, err
		case o.replicas > 1 && (api.ErrorCode == codeNoPeers || api.ErrorCode == codeNoReplicas):
			o.replicas = 1
		case o.bytes > fewResultBytes && slices.Contains([]jetstream.ErrorCode{codeAccount, codeResources, codeMemory, codeStorage, codeStreamTooLong}, api.ErrorCode):
			o.bytes = fewResultBytes
		default:
			return nil, err
		}
	}
}

func (st *streams) open(ctx context.Context, s subjects, o storage) (err error) {
	kind := jetstream.FileStorage
	if o.memory {
		kind = jetstream.MemoryStorage
	}
	jobs := jetstream.StreamConfig{
		Name: s.jobStream(), Subjects: []string{s.job()}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
		MaxMsgs: maxQueue, MaxBytes: maxJobBytes, Storage: kind, Replicas: o.replicas, Duplicates: duplicateWindow,
	}
	if st.jobs, err = st.js.CreateOrUpdateStream(ctx, jobs); err != nil {
		return err
	}
	if err = st.jobs.Purge(ctx); err != nil {
		return err
	}
	if st.results, err = st.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: s.resultStream(), Subjects: []string{s.results()}, Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
		MaxMsgsPerSubject: maxNodeResults, DiscardNewPerSubject: true, MaxMsgSize: maxResult, MaxBytes: o.bytes,
		Storage: jetstream.FileStorage, Replicas: o.replicas, Duplicates: duplicateWindow,
	}); err != nil {
		return err
	}
	if st.taken, err = st.jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: o.ackWait, MaxDeliver: maxDeliver,
		MaxAckPending: maxQueue, MaxWaiting: 8192, Replicas: o.replicas, MemoryStorage: o.memory,
	}); err != nil {
		return err
	}
	st.answers, err = st.results.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: consumerName, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Minute, MaxDeliver: -1,
		MaxAckPending: 8192, Replicas: o.replicas,
	})
	return err
}

// remove removes the streams when nothing is left to do.
func (s *streams) remove(ctx context.Context, names subjects) {
	_ = s.js.DeleteStream(ctx, names.jobStream())
	_ = s.js.DeleteStream(ctx, names.resultStream())
}
