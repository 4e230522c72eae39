package cluster

import (
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/natscontext"
)

// Target is a NATS server of one's own.
type Target struct {
	URL     string // several are separated by commas
	Context string // name of a context of the nats program; takes the place of all others
	Creds   string // file
	CA      string // file
	Cert    string // file
	Key     string // file
}

func (t Target) options() (options []nats.Option) {
	if t.Creds != "" {
		options = append(options, nats.UserCredentials(t.Creds))
	}
	if t.CA != "" {
		options = append(options, nats.RootCAs(t.CA))
	}
	if t.Cert != "" {
		options = append(options, nats.ClientCert(t.Cert, t.Key))
	}
	return options
}

// connect connects with further options.
func (t Target) connect(further ...nats.Option) (*nats.Conn, error) {
	if t.Context != "" {
		nc, _, err := natscontext.Connect(t.Context, further...)
		if err != nil {
			return nil, fmt.Errorf("the NATS context %q: %w", t.Context, err)
		}
		return nc, nil
	}
	nc, err := nats.Connect(t.URL, append(t.options(), further...)...)
	if err != nil {
		return nil, fmt.Errorf("the NATS server cannot be reached: %w", err)
	}
	return nc, nil
}

// Connect connects the coordinator. A connection that is lost is made again for as long as it takes.
func Connect(t Target) (*nats.Conn, error) {
	return t.connect(nats.MaxReconnects(-1), nats.Name("photodesc run"))
}
