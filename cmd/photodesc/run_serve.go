package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"photodesc/internal/cluster"
	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
	"photodesc/internal/photo/identity"
	"photodesc/internal/wording"
	"photodesc/internal/worker"
	"photodesc/llm"
	"photodesc/pool"
	"photodesc/tracker"
)

// This file has other machines take part in a run: the same list of photos is worked off by the workers of this machine and by nodes.

// nodeWork is what a run tells nodes of how photos are described.
type nodeWork struct {
	Ask        worker.Questions
	Detail     llm.Detail
	MaxTokens  int
	Exact      bool
	Sampling   llm.Sampling
	Untrusted  bool
	Inside     bool // for sidecars
	Thumbnails bool
	Timeout    time.Duration
	Prompt     string // that is recorded
}

// sharing is a run in which other machines take part.
type sharing struct {
	run    *runner
	name   string          // of this machine
	server *cluster.Server // nil with a NATS server of one's own
	nc     *cluster.Conn
	co     *cluster.Coordinator
	done   chan error // how the coordinator has ended
	cancel context.CancelFunc

	keeping sync.Mutex // held while results are recorded
	remote  atomic.Pointer[remoteWork]
	local   atomic.Bool // there are workers on this machine, and they tell what is in flight
	rates   nodeRates
}

// remoteWork is what nodes have in flight.
type remoteWork struct {
	inFlight int
	ages     float64
	there    int // nodes
}

// addressName is the file with the address that nodes join with.
const addressName = "address"

// machineName is that of this machine in records and lists.
func machineName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "this-machine"
	}
	return name
}

// startSharing lets other machines take part, if that is wanted. It does so once in a run.
func startSharing(ctx context.Context, r *runner) (*sharing, error) {
	if s := r.shared.Load(); s != nil || !r.flags.Shared() {
		return s, nil
	}
	s := &sharing{run: r, name: machineName(), done: make(chan error, 1)}
	id, err := cluster.LoadIdentity(r.dir)
	if err != nil {
		return nil, err
	}
	if err := s.connect(id); err != nil {
		return nil, err
	}
	cfg, err := s.config(id)
	if err != nil {
		s.close()
		return nil, err
	}
	limited, end := context.WithTimeout(ctx, 30*time.Second)
	defer end()
	if s.co, err = cluster.New(limited, cfg); err != nil {
		s.close()
		return nil, queueError(err)
	}
	if err := s.announce(id); err != nil {
		s.close()
		return nil, err
	}
	r.track.Live().SetRun(r.model.Name, r.set.Ask.First(), r.flags.Timeout)
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	context.AfterFunc(ctx, s.co.Stop)
	go func() { s.done <- s.co.Run(own) }()
	r.shared.Store(s)
	return s, nil
}

// connect starts the server inside of this program, or connects to that of --nats.
func (s *sharing) connect(id *cluster.Identity) (err error) {
	r := s.run
	if !r.flags.Serve {
		s.nc, err = cluster.Connect(natsTarget(r.flags.NATS), natsNotify(r))
		return err
	}
	s.server, err = cluster.StartServer(cluster.ServerOptions{
		Workdir: r.dir, Listen: r.flags.ServeAddr, Identity: id,
		Rejected: func(from string) {
			r.folds.add(warning{"machine", "was not let in", from, "it does not know the token", "A machine at " + from + " was not let in: it does not know the token"})
		},
	})
	if err != nil {
		return fmt.Errorf("the run cannot be served: %w", err)
	}
	s.nc, err = s.server.Connect()
	return err
}

func (s *sharing) close() {
	if s.nc != nil {
		s.nc.Close()
	}
	if s.server != nil {
		s.server.Close()
	}
}

// announce says how nodes join.
func (s *sharing) announce(id *cluster.Identity) error {
	r := s.run
	if s.server == nil {
		r.log.Info(fmt.Sprintf("Other machines join with: photodesc node %s --run %s", shownServers(r.flags.NATS), id.Run))
		return nil
	}
	a := s.server.Address(ownAddress())
	path := filepath.Join(r.dir, cluster.FolderName, addressName)
	if err := durable.WriteFile(path, []byte(a.String()+"\n"), 0o600); err != nil {
		return err
	}
	r.log.Info(fmt.Sprintf("The run is served at %s; the address with its token is in %q", a.Shown(), path))
	if !s.server.OnAllAddresses() && isLoopback(a.Host) {
		r.log.Info("Only this machine can join: --serve-addr 0.0.0.0:0 listens on all addresses")
	}
	if r.foreground == nil { // a log of a run in the background is no place for a token
		r.show.Print(fmt.Sprintf("Type on the other machines:\n    photodesc node '%s'\n", a))
	}
	return nil
}

func isLoopback(hostPort string) bool {
	host, _, _ := net.SplitHostPort(hostPort)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// ownAddress is the address of this machine that others most likely reach. Nothing is sent.
func ownAddress() string {
	c, err := net.Dial("udp", "192.0.2.1:9")
	if err != nil {
		return machineName()
	}
	defer c.Close()
	host, _, _ := net.SplitHostPort(c.LocalAddr().String())
	return host
}

// config is how the coordinator works.
func (s *sharing) config(id *cluster.Identity) (cluster.Config, error) {
	r := s.run
	c := r.workerConfig()
	work, err := json.Marshal(nodeWork{
		Ask: r.set.Ask, Detail: r.set.Detail, MaxTokens: r.flags.MaxTokens, Exact: r.flags.Exact, Sampling: c.Engine.Sampling,
		Untrusted: r.flags.Untrusted, Inside: c.Inside, Thumbnails: c.Thumbnails, Timeout: r.flags.Timeout, Prompt: r.set.Ask.First(),
	})
	if err != nil {
		return cluster.Config{}, err
	}
	model := cluster.Model{Name: r.model.Name}
	if model.Fingerprint, err = r.model.Fingerprint(); err != nil {
		return cluster.Config{}, err
	}
	files := []string{r.model.Text, r.model.Vision}
	for i, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			return cluster.Config{}, err
		}
		model.Sizes[i] = info.Size()
	}
	local := s.name
	if r.flags.NoLocal {
		local = ""
	}
	probe := probeStorage(r, r.found.todo)
	return cluster.Config{
		Conn: s.nc, Run: id.Run, Secret: id.Secret, Settings: r.track.SettingsID(), Version: version, Model: model, Work: work,
		Photos: r.found.todo, Local: local, Memory: s.server != nil, Replicas: replicas(s.nc),
		Stat: func(path string) (int64, time.Time, error) {
			file, err := statFile(fsutil.Join(r.root, path))
			return file.Size, file.ModTime, err
		},
		Open:      func(path string) (cluster.Photo, error) { return openShared(fsutil.Join(r.root, path)) },
		Head:      identity.Head,
		OpenModel: func(file int) (cluster.Photo, error) { return openShared(files[file]) },
		Probe: func(path string) error {
			err := probe(path)
			if away := (*pool.UnavailableError)(nil); errors.As(err, &away) {
				return &cluster.UnavailableError{Why: away.Why}
			}
			return err
		},
		Keep:    s.keepNodes,
		Warn:    func(text string) { r.log.Warn(text) },
		Info:    func(text string) { r.log.Info(text) },
		Observe: s.observe,
		News:    func(n cluster.NodeNews) { r.events.nodeEvent(n) },
		PutOut:  s.server.PutOut,
		AckWait: shareAckWait,
	}, nil
}

// shareAckWait is cluster.Config.AckWait; tests make it shorter.
var shareAckWait = cluster.DefaultAckWait

// openShared opens a file that nodes read.
func openShared(path string) (cluster.Photo, error) {
	f, err := fsutil.OpenRegular(path, os.O_RDONLY, 0)
	if err != nil {
		return cluster.Photo{}, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return cluster.Photo{}, err
	}
	return cluster.Photo{ReaderAt: f, Closer: f, Size: info.Size(), ModTime: info.ModTime().UTC()}, nil
}

// observe shows what has become of nodes.
func (s *sharing) observe(nodes []cluster.Node) {
	live := s.run.track.Live()
	var work remoteWork
	for _, n := range nodes {
		if !n.Gone {
			work.inFlight += n.InFlight
			work.ages += n.Ages
			if n.Paused == "" {
				work.there++
			}
		}
	}
	before := s.remote.Swap(&work)
	live.SetNodes(nodesOf(nodes, s.rates.look(time.Now(), nodes)))
	if s.local.Load() {
		return
	}
	live.SetInFlight(work.inFlight, work.ages)
	s.run.service.Alive()
	if !s.run.flags.NoLocal {
		return
	}
	if before != nil && (before.there == 0) == (work.there == 0) {
		return
	}
	if work.there == 0 {
		live.SetWaiting("nodes to join", false)
		s.run.show.SetPhase("waiting for nodes to join")
	} else {
		live.SetPhase("")
		s.run.show.SetPhase("")
	}
}

// withRemote adds what nodes have in flight to what the workers of this machine have.
func withRemote(r *runner, inFlight int, ages float64) (int, float64) {
	s := r.shared.Load()
	if s == nil {
		return inFlight, ages
	}
	if work := s.remote.Load(); work != nil {
		return inFlight + work.inFlight, ages + work.ages
	}
	return inFlight, ages
}

// describeShared describes photos here and on nodes until all are done, or until this machine's workers have other work.
func describeShared(ctx context.Context, r *runner, s *sharing, p *pool.Pool, interrupted func() bool) error {
	if p == nil {
		r.loading.end()
		return s.wait(ctx)
	}
	r.pool.Store(p)
	capacity := r.plan.Workers * (r.plan.Slots + worker.DecodeAhead)
	s.local.Store(true)
	stats, err := p.Run(ctx, s.co.Jobs(ctx, capacity), s.keepLocal)
	r.loading.end()
	r.stats = sumStats(r.stats, stats)
	left := s.co.LocalPaused()
	switch {
	case interrupted():
		return nil
	case err != nil && ctx.Err() == nil && left > 0 && s.anyNodes() && !errors.Is(err, pool.ErrKilled):
		r.log.Warn(fmt.Sprintf("The workers of this machine cannot go on, nodes describe the other %s: %v", wording.Count(left, "photo"), err))
		s.co.LocalGone()
	case err != nil && !errors.Is(err, pool.ErrStopped):
		return err
	}
	s.local.Store(false)
	return s.wait(ctx)
}

// endSharing ends what startSharing has begun.
func endSharing(r *runner) {
	if s := r.shared.Load(); s != nil {
		s.cancel()
		<-s.done
		s.close()
	}
}

func (s *sharing) anyNodes() bool {
	work := s.remote.Load()
	return work != nil && work.there > 0
}

// wait waits for the end of what nodes do.
func (s *sharing) wait(ctx context.Context) error {
	err := <-s.done
	s.done <- err
	if errors.Is(err, cluster.ErrStopped) || ctx.Err() != nil && err != nil {
		return pool.ErrStopped
	}
	return err
}

// kill ends the run at once.
func (s *sharing) kill() {
	if s != nil {
		s.cancel()
	}
}

// keepLocal records a result of this machine's workers.
func (s *sharing) keepLocal(res pool.Result) error {
	a := cluster.Answer{Attempts: res.Attempts, Seconds: res.Seconds, Data: res.Data}
	if f := res.Failure; f != nil {
		a.Failure = &cluster.Failure{Kind: f.Kind, Message: f.Message, Data: f.Data}
	}
	if !s.co.LocalAnswer(res.Path, a) {
		return nil
	}
	s.keeping.Lock()
	err := s.run.keep(res)
	s.keeping.Unlock()
	if err == nil {
		s.co.Recorded()
	}
	return err
}

// keepNodes records results of nodes, with one wait for the disk.
func (s *sharing) keepNodes(list []cluster.Outcome) error {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	r := s.run
	records, more := make([]tracker.Record, len(list)), make([]worker.Answer, len(list))
	for i, o := range list {
		records[i], more[i] = recordOf(resultOf(o), r.model.Name, r.set.Ask.First())
		records[i] = checkedRecord(records[i])
		records[i].Settings, records[i].Node = r.track.SettingsID(), o.Machine
	}
	refused := map[int]bool{}
	if err := r.track.AddBatch(records); err != nil {
		if r.track.Err() != nil {
			return err
		}
		// Some are described already, as after a crash between two runs. Which they are only one by one tells.
		for i, rec := range records {
			err := r.track.Add(rec)
			if err != nil && !errors.Is(err, tracker.ErrDone) {
				return err
			}
			refused[i] = err != nil && !r.track.Done(rec.Path)
		}
	}
	for i, rec := range records {
		if !refused[i] {
			r.track.Live().Answered(list[i].Seconds)
			kept(r, rec, 0, more[i], list[i].Failure == nil)
		}
	}
	return nil
}

// resultOf is an outcome as the pool would tell it.
func resultOf(o cluster.Outcome) pool.Result {
	res := pool.Result{Path: o.Path, Attempts: o.Attempts, Seconds: o.Seconds, Data: o.Data}
	if f := o.Failure; f != nil {
		res.Failure = &pool.Failure{Kind: f.Kind, Message: f.Message, Data: f.Data}
	}
	return res
}

// releaseIdle is pool.Config.ReleaseIdle where photos come from elsewhere: others may have what is left.
const releaseIdle = time.Second

// maxText is how long a text of a node may be, in bytes; usual ones have some hundred.
const maxText = 64 << 10

// checkedRecord is a record of a node without what only this machine may say, or a failure where it cannot be one.
func checkedRecord(rec tracker.Record) tracker.Record {
	texts := []string{rec.Description, rec.Raw, rec.Taken, rec.Camera, string(rec.Finish)}
	texts = append(texts, rec.Keywords...)
	for name, a := range rec.Answers {
		texts = append(texts, name, a.Prompt, a.Text, a.Raw)
	}
	size := 0
	for _, t := range texts {
		size += len(t)
	}
	if size > maxText || len(rec.Keywords) > 1000 || len(rec.Answers) > 100 || rec.Width < 0 || rec.Height < 0 || rec.Tokens < 0 || rec.Blank < 0 ||
		rec.Status != tracker.OK && rec.Status != tracker.Failed {
		bad := failure(rec.Path, string(tracker.Model), "the node's answer is no description")
		bad.Attempts, bad.Model, bad.Prompt, bad.Time = rec.Attempts, rec.Model, rec.Prompt, rec.Time
		return bad
	}
	rec.Via, rec.From, rec.Of, rec.Request = "", "", "", nil
	return rec
}
