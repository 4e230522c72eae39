package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"photodesc/internal/cluster/clustertest"
)

// startOwn starts a NATS server as one of somebody's own, with a user and a password.
func startOwn(t testing.TB, o server.Options) *server.Server {
	t.Helper()
	o.DisableJetStreamBanner = true
	if len(o.Nkeys)+len(o.TrustedOperators)+len(o.Users) == 0 && o.Authorization == "" && !o.TLSVerify {
		o.Username, o.Password = "ada", "secret"
	}
	if o.Port == 0 {
		o.Port = -1
	}
	if o.StoreDir == "" {
		o.StoreDir = t.TempDir()
	}
	s := clustertest.Start(t, o)
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

// jetStreamAt looks at the streams of a server.
func jetStreamAt(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// ownURL is the address of such a server.
func ownURL(s *server.Server) string {
	return strings.Replace(s.ClientURL(), "nats://", "nats://ada:secret@", 1)
}

// shareOver runs a coordinator and a node over a server until all photos have results.
func shareOver(t *testing.T, run string, target Target, photos []string, replicas, nodes int, meanwhile func(left func() int)) map[string]int {
	t.Helper()
	return shareBetween(t, run, target, target, photos, replicas, nodes, meanwhile)
}

// shareBetween does so with one target for the coordinator and one for nodes.
func shareBetween(t *testing.T, run string, target, nodeTarget Target, photos []string, replicas, nodes int, meanwhile func(left func() int)) map[string]int {
	t.Helper()
	nc, err := Connect(target, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	var mu sync.Mutex
	kept := map[string]int{}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	co, err := New(ctx, Config{
		Conn: nc, Run: run, Secret: []byte("secret of " + run), Settings: "settings", Version: "test", Photos: photos, Replicas: replicas,
		Stat: func(string) (int64, time.Time, error) { return 10, modTime, nil },
		Open: func(path string) (Photo, error) {
			return Photo{strings.NewReader(fmt.Sprintf("%10.10s", path)), nopCloser{}, 10, modTime}, nil
		},
		OpenModel: func(int) (Photo, error) { return Photo{}, errors.New("no model") }, Probe: func(string) error { return nil },
		Keep: func(list []Outcome) error {
			mu.Lock()
			defer mu.Unlock()
			for _, o := range list {
				kept[o.Path]++
			}
			return nil
		},
		Warn: func(text string) { t.Log(text) }, Info: func(string) {}, AckWait: 2 * time.Second, Tick: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	working, end := context.WithCancel(ctx)
	defer end()
	var wait sync.WaitGroup
	for i := range nodes {
		wait.Go(func() {
			l, err := DialOwn(nodeTarget, RandomSecret(), func(error) {})
			if err != nil {
				t.Error(err)
				return
			}
			defer l.Close()
			w, err := l.Join(working, run, fmt.Sprint("node-", i), "test", 1)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = l.Do(working, nil, Work{Slots: 4, AckWait: w.AckWait, Beat: func() Beat { return Beat{} }, Prove: func(int) {},
				Describe: func(ctx context.Context, j Job) (Answer, error) {
					size := 0
					if err := j.Fetch(ctx, func(b []byte) error { size += len(b); return nil }); err != nil || size != 10 {
						return Answer{}, errors.Join(err, fmt.Errorf("%d bytes", size))
					}
					time.Sleep(2 * time.Millisecond)
					return described, nil
				}})
		})
	}
	if meanwhile != nil {
		wait.Go(func() { meanwhile(co.Left) })
	}
	if err := co.Run(ctx); err != nil {
		t.Errorf("run %s: %v, %d left", run, err, co.Left())
	}
	end()
	wait.Wait()
	mu.Lock()
	defer mu.Unlock()
	return kept
}

func checkOnce(t *testing.T, kept map[string]int, photos []string) {
	t.Helper()
	for _, p := range photos {
		if kept[p] != 1 {
			t.Errorf("%s has %d results", p, kept[p])
		}
	}
	if len(kept) != len(photos) {
		t.Errorf("%d photos have results, want %d", len(kept), len(photos))
	}
}

// TestOwnServer: two runs share a server and do not meet; nothing is left on it.
func TestOwnServer(t *testing.T) {
	s := startOwn(t, server.Options{})
	target := Target{URL: ownURL(s)}
	var wait sync.WaitGroup
	for i := range 2 {
		wait.Go(func() {
			photos := numbered(100 + i)
			checkOnce(t, shareOver(t, fmt.Sprint("run", i), target, photos, 1, 2, nil), photos)
		})
	}
	wait.Wait()
	js := jetStreamAt(t, target.URL)
	for name := range js.StreamNames(t.Context()).Name() {
		t.Errorf("the stream %s is left", name)
	}
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	if err := os.MkdirAll(filepath.Join(config, "nats/context"), 0o700); err != nil {
		t.Fatal(err)
	}
	context := fmt.Sprintf(`{"url":%q,"user":"ada","password":"secret"}`, s.ClientURL())
	if err := os.WriteFile(filepath.Join(config, "nats/context/mine.json"), []byte(context), 0o600); err != nil {
		t.Fatal(err)
	}
	checkOnce(t, shareOver(t, "by-context", Target{Context: "mine"}, []string{"a.jpg"}, 1, 1, nil), []string{"a.jpg"})
	for text, bad := range map[string]Target{
		"cannot be reached": {URL: "nats://127.0.0.1:1"},
	} {
		if nc, err := Connect(bad, func(error) {}); err == nil {
			nc.Close()
			t.Errorf("%+v connects", bad)
		} else if !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
}

// TestOwnLoses: a server that has lost the streams of a run gets them anew, and no photo is lost or described twice. It is asked for three
// copies, which it cannot keep.
func TestOwnLoses(t *testing.T) {
	s := startOwn(t, server.Options{})
	target, photos := Target{URL: ownURL(s)}, numbered(300)
	js := jetStreamAt(t, target.URL)
	names := subjects{"loses"}
	checkOnce(t, shareOver(t, names.run, target, photos, 3, 2, func(left func() int) {
		for i, remove := range []func() error{
			func() error { return js.DeleteStream(t.Context(), names.jobStream()) },
			func() error { return js.DeleteStream(t.Context(), names.resultStream()) },
			func() error { return js.DeleteConsumer(t.Context(), names.resultStream(), consumerName) },
		} {
			for left() > 250-80*i {
				time.Sleep(5 * time.Millisecond)
			}
			if err := remove(); err != nil {
				t.Error(err)
			}
		}
	}), photos)
}

// TestOwnCluster loses one of three servers, and one after the other with PHOTODESC_SOAK=1.
func TestOwnCluster(t *testing.T) {
	if os.Getenv("PHOTODESC_SOAK") == "" {
		t.Skip("three servers take their time to agree: in make soak")
	}
	var routes []*url.URL
	var ports []int
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		l.Close()
	}
	dir := t.TempDir()
	start := func(i, port int) *server.Server {
		return startOwn(t, server.Options{
			ServerName: fmt.Sprint("server-", i), Port: port, StoreDir: filepath.Join(dir, fmt.Sprint(i)), Routes: routes,
			Cluster: server.ClusterOpts{Name: "three", Host: "127.0.0.1", Port: ports[i]},
		})
	}
	servers, urls, client := make([]*server.Server, 3), make([]string, 3), make([]int, 3)
	for i := range servers {
		servers[i] = start(i, 0)
		urls[i] = ownURL(servers[i])
		client[i] = servers[i].Addr().(*net.TCPAddr).Port
	}
	for end := time.Now().Add(30 * time.Second); !servers[0].JetStreamIsCurrent() || servers[0].ClusterName() == ""; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the servers do not agree")
		}
	}
	time.Sleep(3 * time.Second) // until they have a leader
	photos := numbered(5000)
	lost := 0
	kept := shareOver(t, "clustered", Target{URL: strings.Join(urls, ",")}, photos, 3, 4, func(left func() int) {
		for i := range servers {
			for left() > len(photos)-(i+1)*len(photos)/4 {
				time.Sleep(10 * time.Millisecond)
			}
			servers[i].Shutdown()
			servers[i].WaitForShutdown()
			lost++
			time.Sleep(2 * time.Second)
			servers[i] = start(i, client[i])
			time.Sleep(3 * time.Second)
		}
	})
	checkOnce(t, kept, photos)
	t.Logf("%d photos over three servers, each of which was away for a while (%d): %d with one result", len(photos), lost, len(kept))
}
