package cluster

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Address is where a run is served, and what a node needs to join it:
//
//	nats://TOKEN@HOST:PORT#FINGERPRINT
type Address struct {
	Host        string // with port
	Token       string
	Fingerprint string // of the server's certificate, see [Fingerprint]
}

// errAddress says how an address looks.
var errAddress = errors.New("it looks like nats://TOKEN@HOST:PORT#FINGERPRINT and is the line that `photodesc run --serve` prints")

// String is the address as a node takes it.
func (a Address) String() string { return "nats://" + a.Token + "@" + a.Host + "#" + a.Fingerprint }

// Shown is the address without its token, for logs.
func (a Address) Shown() string { return "nats://" + a.Host }

// IsServed is whether text may be the address of a served run, and not that of a NATS server of one's own.
func IsServed(text string) bool { return strings.Contains(text, "#") }

// ParseAddress reads what Address.String returns. The error does not repeat the text, which may hold a token.
func ParseAddress(text string) (Address, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil {
		return Address{}, fmt.Errorf("the address cannot be read: %w", errAddress)
	}
	_, twice := u.User.Password()
	port := u.Port()
	switch {
	case u.Scheme != "nats":
		return Address{}, fmt.Errorf("the address begins with %q: %w", u.Scheme, errAddress)
	case u.Hostname() == "" || port == "" || u.Path != "" || u.RawQuery != "":
		return Address{}, fmt.Errorf("the address has no host and port, or more than that: %w", errAddress)
	case u.User.Username() == "" || twice:
		return Address{}, fmt.Errorf("the address has no token: %w", errAddress)
	case len(u.Fragment) != fingerprintLen:
		return Address{}, fmt.Errorf("the address has no fingerprint of %d characters after #: %w\n  in a shell, an address with # stands in quotes or as one word", fingerprintLen, errAddress)
	}
	return Address{net.JoinHostPort(u.Hostname(), port), u.User.Username(), u.Fragment}, nil
}
