package cluster

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

const (
	storeName    = "jetstream"
	startTimeout = 20 * time.Second
	maxMemory    = 256 << 20 // bytes of streams in memory
	maxStore     = 2 << 30   // bytes of streams on disk
)

// ServerOptions are the options of StartServer.
type ServerOptions struct {
	Workdir  string
	Listen   string // HOST:PORT; port 0 is the one of last time, or a free one
	Identity *Identity

	// Rejected is told of clients that were not let in, from several goroutines.
	Rejected func(from string)
}

// Server is a NATS server inside of this program.
type Server struct {
	ns       *server.Server
	identity *Identity
	inside   string // password of this process's own connection
	host     string // that was asked to be listened on
	gate     gate
}

// StartServer starts a server with JetStream, whose files are below the workdir, and TLS. The queue is disposable, so not every message
// is synced to the disk.
func StartServer(o ServerOptions) (*Server, error) {
	host, portText, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("%q is no HOST:PORT: %w", o.Listen, err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil || port < 0 || port > 65535 {
		return nil, fmt.Errorf("%q has no port from 0 to 65535", o.Listen)
	}
	s := &Server{identity: o.Identity, inside: RandomSecret(), host: host}
	store := filepath.Join(o.Workdir, FolderName, storeName)
	chosen := port == 0
	if chosen {
		port = o.Identity.Port
	}
	err = s.start(o, host, port, store)
	if chosen && port != 0 && errors.Is(err, errListen) {
		err = s.start(o, host, 0, store) // another program has the port of last time
	}
	if errors.Is(err, errStore) {
		// Nothing in there is needed: the results on record are what counts.
		if e := os.RemoveAll(store); e != nil {
			return nil, e
		}
		err = s.start(o, host, port, store)
	}
	if err != nil {
		return nil, err
	}
	if addr, ok := s.ns.Addr().(*net.TCPAddr); ok {
		if err := o.Identity.SetPort(addr.Port); err != nil {
			s.Close()
			return nil, err
		}
	}
	return s, nil
}

var (
	errListen = errors.New("the address cannot be listened on")
	errStore  = errors.New("JetStream did not start")
)

func (s *Server) start(o ServerOptions, host string, port int, store string) error {
	if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err != nil {
		return fmt.Errorf("%w: %w\n  choose another with --serve-addr HOST:PORT", errListen, err)
	} else {
		_ = l.Close() // the server would end the whole program
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s.gate = gate{
		token: sha256.Sum256([]byte(o.Identity.Token)), inside: sha256.Sum256([]byte(s.inside)),
		subjects: subjects{o.Identity.Run}, rejected: o.Rejected, connections: map[string][]uint64{}, out: map[string]bool{},
	}
	ns, err := server.NewServer(&server.Options{
		ServerName: "photodesc", Host: host, Port: port, NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
		JetStream: true, StoreDir: store, JetStreamMaxMemory: maxMemory, JetStreamMaxStore: maxStore,
		TLSConfig:  &tls.Config{Certificates: []tls.Certificate{o.Identity.Certificate}, MinVersion: tls.VersionTLS13},
		TLSTimeout: 10, AuthTimeout: 15, MaxConn: maxNodes + 16, MaxSubs: 64 * 1024, MaxControlLine: 8 << 10,
		PingInterval: 20 * time.Second, MaxPingsOut: 2,
		NoFastProducerStall:        true, // a node that does not take what it asks for would hold up the answers to others
		CustomClientAuthentication: &s.gate,
	})
	if err != nil {
		return err
	}
	ns.Start()
	if !ns.ReadyForConnections(startTimeout) {
		ns.Shutdown()
		ns.WaitForShutdown()
		if !ns.JetStreamEnabled() {
			return errStore
		}
		return fmt.Errorf("the NATS server was not ready within %s", startTimeout)
	}
	if !ns.JetStreamEnabled() {
		ns.Shutdown()
		ns.WaitForShutdown()
		return errStore
	}
	s.ns = ns
	return nil
}

// Connect returns a connection of this process, which may do everything.
func (s *Server) Connect() (*Conn, error) {
	nc, err := nats.Connect("", nats.InProcessServer(s.ns), nats.UserInfo(insideUser, s.inside), nats.MaxReconnects(-1))
	return &Conn{Conn: nc}, err
}

// Address is what nodes need to join. host is that of this machine as others know it where the server listens on all addresses.
func (s *Server) Address(host string) Address {
	addr, _ := s.ns.Addr().(*net.TCPAddr)
	if ip := net.ParseIP(s.host); s.host != "" && (ip == nil || !ip.IsUnspecified()) {
		host = s.host
	}
	return Address{net.JoinHostPort(host, strconv.Itoa(addr.Port)), s.identity.Token, s.identity.Fingerprint()}
}

// OnAllAddresses is whether others can reach the server at every address of this machine.
func (s *Server) OnAllAddresses() bool {
	ip := net.ParseIP(s.host)
	return s.host == "" || ip != nil && ip.IsUnspecified()
}

// Close ends the server.
func (s *Server) Close() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}

// insideUser is the user name of this process's own connection.
const insideUser = "coordinator"

// gate lets nodes in that know the token, and each of them to its own subjects only. The user name is a secret that a node has chosen,
// from which its ID follows; so none can take the place of another.
type gate struct {
	token, inside [sha256.Size]byte
	subjects      subjects
	rejected      func(from string)

	mu          sync.Mutex
	connections map[string][]uint64 // the last ones, by node
	out         map[string]bool     // nodes that are not let in again
}

// maxConnections is how many connections of one node are remembered.
const maxConnections = 16

// comes notes a connection of a node. It is false if the node was put out.
func (g *gate) comes(node string, connection uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.out[node] {
		return false
	}
	if len(g.connections) > 4*maxNodes { // of nodes that have left long ago
		clear(g.connections)
	}
	list := append(g.connections[node], connection)
	g.connections[node] = list[max(0, len(list)-maxConnections):]
	return true
}

// PutOut closes the connections of a node and does not let it in again. A nil server does nothing.
func (s *Server) PutOut(node string) {
	if s == nil {
		return
	}
	s.gate.mu.Lock()
	if len(s.gate.out) > maxSenders {
		clear(s.gate.out)
	}
	s.gate.out[node] = true
	list := s.gate.connections[node]
	s.gate.mu.Unlock()
	for _, id := range list {
		_ = s.ns.DisconnectClientByID(id) // most are closed
	}
}

// minNodeSecret is how many characters a node's secret has at least.
const minNodeSecret = 24

// Check implements server.Authentication.
func (g *gate) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	password := sha256.Sum256([]byte(opts.Password))
	switch {
	case c.Kind() != server.CLIENT:
	case opts.Username == insideUser:
		if subtle.ConstantTimeCompare(password[:], g.inside[:]) == 1 {
			return true
		}
	case len(opts.Username) >= minNodeSecret && len(opts.Username) <= 128 && subtle.ConstantTimeCompare(password[:], g.token[:]) == 1:
		node := NodeID(opts.Username)
		if !g.comes(node, c.GetID()) {
			return false
		}
		c.RegisterUser(&server.User{Username: node, Permissions: g.permissions(node)})
		return true
	}
	if g.rejected != nil {
		from := "an unknown address"
		if a := c.RemoteAddress(); a != nil {
			if from, _, _ = net.SplitHostPort(a.String()); from == "" {
				from = a.String()
			}
		}
		g.rejected(from)
	}
	return false
}

// permissions are all that a node needs.
func (g *gate) permissions(node string) *server.Permissions {
	jobs := g.subjects.jobStream() + "." + consumerName
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			g.subjects.ask(node, "*"), g.subjects.result(node),
			"$JS.API.CONSUMER.INFO." + jobs, "$JS.API.CONSUMER.MSG.NEXT." + jobs, "$JS.ACK." + jobs + ".>",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{inboxPrefix(node) + ".>", g.subjects.all()}},
	}
}
