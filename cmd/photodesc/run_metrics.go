package main

import (
	"go.uber.org/zap/zapcore"

	"photodesc/internal/metrics"
	"photodesc/tracker"
)

// startMetrics shows the run's figures to Prometheus, with --metrics. The result ends it.
func startMetrics(r *runner) (stop func(), err error) {
	return serveMetrics(r.flags.Metrics, r.log.Info, func() metrics.Figures {
		p, sample, nodes, waiting := r.track.Live().Figures()
		f := metrics.Figures{
			Described: p.RunCompleted, Failed: p.RunFailed, InFlight: p.InFlight, Remaining: p.Remaining, Total: p.Total,
			Rate: p.RateLastHour, WorkerBytes: sample.WorkerBytes, Waiting: waiting,
		}
		if !p.TotalKnown {
			f.Remaining, f.Total = -1, -1
		}
		for _, n := range nodes {
			f.Nodes = append(f.Nodes, nodeFigures(n))
		}
		return f
	})
}

func nodeFigures(n tracker.Node) metrics.Node {
	return metrics.Node{Name: n.Name, Seen: n.Seen, Up: !n.Gone, Paused: n.Paused != "", Slots: n.Slots, InFlight: n.InFlight, Described: n.Described, Failed: n.Failed, Late: n.Late}
}

// serveMetrics does nothing where no address is given.
func serveMetrics(addr string, say func(string, ...zapcore.Field), read func() metrics.Figures) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	at, stop, err := metrics.Serve(addr, version, read)
	if err != nil {
		return nil, err
	}
	say("Figures for Prometheus: http://" + at + "/metrics")
	return stop, nil
}

// nodeMetrics are a node's own figures.
func nodeMetrics(n *nodeRun) (stop func(), err error) {
	return serveMetrics(n.base.flags.Metrics, n.log.Info, func() metrics.Figures {
		b, own := n.stats.beat(), n.stats.own()
		return metrics.Figures{
			Described: b.Described, Failed: b.Failed, InFlight: b.InFlight, Remaining: -1, Total: -1, WorkerBytes: b.Bytes,
			Waiting: own.Phase != "" || own.Paused != "" || own.Name == "", IsNode: true, Lost: own.Lost || own.Name == "",
		}
	})
}
