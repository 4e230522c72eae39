// Package metrics shows the figures of a run or a node to Prometheus.
package metrics

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Figures are those of a moment.
type Figures struct {
	Described   int     // photos by this process
	Failed      int     // photos by this process
	InFlight    int     // photos
	Remaining   int     // photos to be described; negative: not known
	Total       int     // photos in the folder; negative: not known
	Rate        float64 // photos an hour; 0: not known
	WorkerBytes uint64
	Waiting     bool // on purpose, as for memory
	Lost        bool // of a node: the run cannot be reached
	IsNode      bool
	Nodes       []Node
}

// Node is another machine that takes part in a run.
type Node struct {
	Name      string
	Seen      time.Time // when something was heard of it last
	Up        bool      // that was lately
	Paused    bool      // it gets no photos
	Slots     int
	InFlight  int
	Described int
	Failed    int
	Late      int
}

// collector reads the figures when somebody asks for them.
type collector struct{ read func() Figures }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("photodesc_"+name, help, labels, nil)
}

var (
	described   = describe("described_total", "Photos that this run or node has described.")
	failed      = describe("failed_total", "Photos that failed in this run or on this node.")
	inFlight    = describe("in_flight_photos", "Photos that workers have and have not answered, those of nodes included.")
	remaining   = describe("remaining_photos", "Photos that are still to be described.")
	total       = describe("photos", "Photos in the folder.")
	rate        = describe("photos_per_second", "Photos described a second, over the last hour at most, waits left out.")
	workerBytes = describe("worker_memory_bytes", "Memory of all workers of this machine.")
	waiting     = describe("waiting", "1 while nothing is described on purpose, as for memory, heat or the photos' disk.")

	runReachable = describe("run_reachable", "1 if this node has a connection to its run.")

	nodeSeen      = describe("node_last_seen_timestamp_seconds", "When something was heard of the node last.", "node")
	nodeUp        = describe("node_up", "1 if something was heard of the node lately.", "node")
	nodePaused    = describe("node_paused", "1 if the node gets no photos because it is not to be trusted.", "node")
	nodeSlots     = describe("node_slots", "Photos that the node takes at once.", "node")
	nodeInFlight  = describe("node_in_flight_photos", "Photos that the node has and has not answered.", "node")
	nodeDescribed = describe("node_described_total", "Photos that the node has described.", "node")
	nodeFailed    = describe("node_failed_total", "Photos that are on record as failed on the node.", "node")
	nodeLate      = describe("node_late_total", "Answers of the node for photos that had their result.", "node")
)

// Describe implements prometheus.Collector.
func (c collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{described, failed, inFlight, remaining, total, rate, workerBytes, waiting, runReachable,
		nodeSeen, nodeUp, nodePaused, nodeSlots, nodeInFlight, nodeDescribed, nodeFailed, nodeLate} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(to chan<- prometheus.Metric) {
	f := c.read()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, n int, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	count(described, f.Described)
	count(failed, f.Failed)
	gauge(inFlight, float64(f.InFlight))
	gauge(workerBytes, float64(f.WorkerBytes))
	gauge(waiting, flag(f.Waiting))
	if f.Remaining >= 0 {
		gauge(remaining, float64(f.Remaining))
	}
	if f.Total >= 0 {
		gauge(total, float64(f.Total))
	}
	if f.Rate > 0 {
		gauge(rate, f.Rate/3600)
	}
	if f.IsNode {
		gauge(runReachable, flag(!f.Lost))
	}
	seen := map[string]bool{}
	for _, n := range f.Nodes {
		if seen[n.Name] { // one that has come back under its name
			continue
		}
		seen[n.Name] = true
		gauge(nodeSeen, float64(n.Seen.UnixMilli())/1000, n.Name)
		gauge(nodeUp, flag(n.Up), n.Name)
		gauge(nodePaused, flag(n.Paused), n.Name)
		gauge(nodeSlots, float64(n.Slots), n.Name)
		gauge(nodeInFlight, float64(n.InFlight), n.Name)
		count(nodeDescribed, n.Described, n.Name)
		count(nodeFailed, n.Failed, n.Name)
		count(nodeLate, n.Late, n.Name)
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// hint says what to do about an address that cannot be listened on.
func hint(err error) string {
	var address *net.AddrError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return "another program listens there: choose another port; 0 takes a free one and says which"
	case errors.Is(err, syscall.EACCES):
		return "this user may not listen on that port: choose one from 1024 on"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine does not have that address: 127.0.0.1 is for itself alone, 0.0.0.0 for all who can reach it"
	case errors.As(err, &address):
		return "it wants HOST:PORT, as in 127.0.0.1:9090"
	}
	return "it wants an address of this machine as HOST:PORT, as in 127.0.0.1:9090"
}

// Serve shows the figures at http://ADDR/metrics until close is called. read is called at each request, concurrently.
func Serve(addr, version string, read func() Figures) (at string, stop func(), err error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, fmt.Errorf("--metrics %q cannot be listened on: %w\n  %s", addr, err, hint(err))
	}
	registry := prometheus.NewRegistry()
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "photodesc_build_info", Help: "1; the version is a label.", ConstLabels: prometheus.Labels{"version": version}})
	info.Set(1)
	registry.MustRegister(collector{read}, info, collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewGoCollector())
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10}
	go func() {
		if err := s.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			return // nobody can ask any more; the run goes on
		}
	}()
	return l.Addr().String(), func() { _ = s.Close() }, nil
}
