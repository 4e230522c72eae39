package cluster

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/natscontext"
)

// Target is a NATS server of one's own.
type Target struct {
	URL     string // several are separated by commas
	Context string // name of a context of the nats program; takes the place of all others
	Creds   string // file with a JWT and its key, or with the key of a user (nkey) alone
	CA      string // file
	Cert    string // file
	Key     string // file
}

// Conn is a connection to a NATS server, with what it calls the interface of JetStream.
type Conn struct {
	*nats.Conn
	domain, prefix string // of JetStream, from a context
}

func (c *Conn) jetStream(options ...jetstream.JetStreamOpt) (jetstream.JetStream, error) {
	switch {
	case c.prefix != "":
		return jetstream.NewWithAPIPrefix(c.Conn, c.prefix, options...)
	case c.domain != "":
		return jetstream.NewWithDomain(c.Conn, c.domain, options...)
	}
	return jetstream.New(c.Conn, options...)
}

func (t Target) options() (options []nats.Option, err error) {
	if t.Creds != "" {
		option, err := credentials(t.Creds)
		if err != nil {
			return nil, err
		}
		options = append(options, option)
	}
	if t.CA != "" {
		options = append(options, nats.RootCAs(t.CA))
	}
	if t.Cert != "" {
		options = append(options, nats.ClientCert(t.Cert, t.Key))
	}
	return options, nil
}

// connect connects with further options. Its error is a *SetupError if trying again does not help.
func (t Target) connect(further ...nats.Option) (*Conn, error) {
	var given nats.Options
	further = append(further, func(o *nats.Options) error { given = *o; return nil })
	if t.Context != "" {
		nc, settings, err := natscontext.Connect(t.Context, further...)
		if err != nil {
			return nil, t.explain(err, given)
		}
		return &Conn{nc, settings.JSDomain, settings.JSAPIPrefix}, nil
	}
	options, err := t.options()
	if err != nil {
		return nil, err
	}
	nc, err := nats.Connect(t.URL, append(options, further...)...)
	if err != nil {
		return nil, t.explain(err, given)
	}
	return &Conn{Conn: nc}, nil
}

// steady are the options of connections that are made again for as long as it takes. notify is told when one is lost, with why, when it
// is back, with nil, and of a *DeniedError.
func steady(notify func(error)) []nats.Option {
	return []nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(500 * time.Millisecond), nats.ReconnectJitter(200*time.Millisecond, 500*time.Millisecond),
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), nats.Timeout(5 * time.Second), nats.IgnoreAuthErrorAbort(),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() {
				notify(lostError(err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { notify(nil) }), nats.ErrorHandler(denials(notify))}
}

func lostError(err error) error {
	if err == nil || errors.Is(err, io.EOF) { // it was closed
		return fmt.Errorf("the connection was lost")
	}
	return fmt.Errorf("the connection was lost: %w", err)
}

// Connect connects the coordinator. A connection that is lost is made again for as long as it takes; see steady for notify.
func Connect(t Target, notify func(error)) (*Conn, error) {
	return t.connect(append(steady(notify), nats.Name("photodesc run"))...)
}
