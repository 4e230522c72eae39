package config

import "github.com/spf13/pflag"

// NATSFlags say how a NATS server of one's own is reached.
type NATSFlags struct {
	URL     string // several are separated by commas
	Context string // name of a context of the nats program
	Creds   string // file
	CA      string // file
	Cert    string // file
	Key     string // file
}

// Given is whether a server is named.
func (n NATSFlags) Given() bool { return n.URL != "" || n.Context != "" }

// wrong says what does not go together, "" if all does. That a server is named is for others to check.
func (n NATSFlags) wrong() string {
	switch {
	case (n.Cert == "") != (n.Key == ""):
		return "--nats-cert and --nats-key belong together"
	case n.Context != "" && (n.URL != "" || n.Files()):
		return "--nats-context names the server, its credentials and its files for TLS: leave --nats and the others out"
	}
	return ""
}

// Files is whether a file for a server is given.
func (n NATSFlags) Files() bool { return n.Creds+n.CA+n.Cert+n.Key != "" }

// Register adds the flags to a set.
func (n *NATSFlags) Register(s *pflag.FlagSet) {
	s.StringVar(&n.URL, "nats", "", "have other machines join over a NATS server of your own at `URL`; several, with commas between them, are a cluster")
	s.StringVar(&n.Context, "nats-context", "", "the same with the context `NAME` of the nats program")
	s.StringVar(&n.Creds, "nats-creds", "", "credentials `FILE` for the NATS server, or that of a user's nkey")
	s.StringVar(&n.CA, "nats-ca", "", "`FILE` with the certificate that the NATS server's is signed with")
	s.StringVar(&n.Cert, "nats-cert", "", "`FILE` with this machine's certificate for the NATS server")
	s.StringVar(&n.Key, "nats-key", "", "`FILE` with the key of --nats-cert")
}

// DefaultServeAddr is where --serve listens: on this machine alone, at the port of last time or a free one.
const DefaultServeAddr = "127.0.0.1:0"

// Shared is whether other machines may take part in the run.
func (f *Flags) Shared() bool { return f.Serve || f.NATS.Given() }
