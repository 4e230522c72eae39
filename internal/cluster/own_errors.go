package cluster

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"photodesc/internal/fsutil"
)

// SetupError says why a NATS server of one's own cannot be used as it is asked for. Trying again does not help.
type SetupError struct {
	Why string // and, in a line of its own, what to do
	err error
}

func (e *SetupError) Error() string { return e.Why }
func (e *SetupError) Unwrap() error { return e.err }

// DeniedError says what a NATS server of one's own does not let its user do.
type DeniedError struct{ What string }

func (e *DeniedError) Error() string {
	return "the NATS server does not allow what is needed: " + e.What + "\n  docs/cluster.md lists what runs and nodes publish and subscribe to"
}

// denials tells of each refusal of the server once.
func denials(notify func(error)) nats.ErrHandler {
	var told sync.Map
	return func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if !errors.Is(err, nats.ErrPermissionViolation) {
			return
		}
		what := err.Error()
		if i := strings.LastIndex(what, ": "); i >= 0 {
			what = what[i+2:]
		}
		what = oneLine(what, 300)
		if i := strings.Index(what, "_INBOX"); i >= 0 { // the rest is another one each time
			what = what[:i] + "_INBOX…\""
		}
		if _, known := told.LoadOrStore(what, true); !known {
			notify(&DeniedError{what})
		}
	}
}

// credentials reads a file of --nats-creds once, so that it is known to be one. It is read again for each connection.
func credentials(path string) (nats.Option, error) {
	data, err := fsutil.ReadSmall(path, 64<<10)
	if err != nil {
		return nil, &SetupError{fmt.Sprintf("the credentials cannot be read: %v", err), err}
	}
	key, err := nkeys.ParseDecoratedNKey(data)
	if err != nil {
		return nil, &SetupError{fmt.Sprintf("%q holds no credentials: it is the file that `nsc generate creds` writes, or that with the key (seed) of a user", path), err}
	}
	key.Wipe()
	if strings.Contains(string(data), "USER JWT") {
		return nats.UserCredentials(path), nil
	}
	option, err := nats.NkeyOptionFromSeed(path)
	if err != nil {
		return nil, &SetupError{fmt.Sprintf("%q holds the key of something else than a user: %v", path, err), err}
	}
	return option, nil
}

// explain says what to do about an error of the first connection. given are the options that it was made with.
func (t Target) explain(err error, given nats.Options) error {
	setup := func(format string, args ...any) error { return &SetupError{fmt.Sprintf(format, args...), err} }
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	text := err.Error()
	switch {
	case errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAccountAuthExpired):
		return setup("the NATS server does not let this machine in: %s have expired\n  get new ones from whoever runs the server", t.credentials(given))
	case errors.Is(err, nats.ErrAuthRevoked):
		return setup("the NATS server does not let this machine in: %s were revoked\n  get new ones from whoever runs the server", t.credentials(given))
	case errors.Is(err, nats.ErrAuthorization):
		if authenticates(given) {
			return setup("the NATS server does not let this machine in: it does not accept %s\n  are they for this server, and still valid?", t.credentials(given))
		}
		if t.Context != "" {
			return setup("the NATS server wants to know who connects, and the context %q has no user, token, creds or nkey", t.Context)
		}
		return setup("the NATS server wants to know who connects\n  give --nats-creds FILE, or --nats-context NAME for a user with a password or a token")
	case errors.Is(err, nats.ErrNkeysNotSupported):
		return setup("the NATS server knows no credentials of files: leave them out, or give --nats-context NAME for a user with a password or a token")
	case errors.As(err, &unknown):
		if t.Context != "" {
			return setup("the certificate of the NATS server is signed by none that this machine trusts: %v\n  set \"ca\" in the context %q to the file with the certificate that it is signed with", err, t.Context)
		}
		if t.CA != "" {
			return setup("the certificate of the NATS server is not signed with the one in %q: %v", t.CA, err)
		}
		return setup("the certificate of the NATS server is signed by none that this machine trusts\n  give the certificate that it is signed with: --nats-ca FILE")
	case errors.As(err, &host):
		return setup("the certificate of the NATS server is for another name: %v\n  use a name that is in it as the address", err)
	case errors.As(err, &invalid):
		return setup("the certificate of the NATS server is not valid: %v\n  if it is, look at the clock of this machine", err)
	case (strings.Contains(text, "certificate required") || strings.Contains(text, "bad certificate")) && given.TLSCertCB == nil:
		return setup("the NATS server wants a certificate of this machine\n  give --nats-cert FILE and --nats-key FILE, or set \"cert\" and \"key\" in the context")
	case strings.Contains(text, "remote error: tls:"):
		return setup("the NATS server does not accept this machine's certificate: %v\n  is it signed with the one that the server trusts, and for clients?", err)
	case strings.Contains(text, "closed by remote after TLS handshake"): // its reason was not read; a server that ends does so, too
		if given.TLSCertCB == nil {
			return fmt.Errorf("the NATS server ends the connection: %w\n  if it wants a certificate of this machine, give --nats-cert FILE and --nats-key FILE", err)
		}
		return fmt.Errorf("the NATS server ends the connection, as if it does not accept this machine's certificate: %w\n  is it signed with the one that the server trusts, and for clients?", err)
	case errors.Is(err, nats.ErrSecureConnWanted):
		return setup("the NATS server has no TLS, which is asked for by tls:// or a file for TLS\n  leave them out, or have the server use TLS")
	case isFileError(err):
		return setup("%s", strings.TrimPrefix(text, "nats: "))
	case t.Context != "" && given.Url == "" && given.Servers == nil: // it was not connected at all
		return setup("the NATS context %q cannot be used: %s\n  `nats context ls` lists those there are, in ~/.config/nats/context", t.Context, strings.TrimPrefix(text, "nats: "))
	case errors.Is(err, nats.ErrNoServers):
		return fmt.Errorf("the NATS server cannot be reached: nobody answers there: %w", err)
	}
	return fmt.Errorf("the NATS server cannot be reached: %w", err)
}

// authenticates is whether a connection says who it is by other means than a certificate.
func authenticates(o nats.Options) bool {
	return o.User != "" || o.Token != "" || o.Nkey != "" || o.UserJWT != nil || o.TLSCertCB != nil
}

// credentials names what a connection says who it is by, in the plural.
func (t Target) credentials(o nats.Options) string {
	switch {
	case t.Creds != "":
		return fmt.Sprintf("the credentials in %q", t.Creds)
	case t.Context != "" && o.User != "":
		return fmt.Sprintf("user and password of the context %q", t.Context)
	case t.Context != "":
		return fmt.Sprintf("the credentials of the context %q", t.Context)
	case t.Cert != "":
		return fmt.Sprintf("certificate and key in %q", t.Cert)
	}
	return "the credentials"
}

// isFileError is whether a file that was named cannot be used.
func isFileError(err error) bool {
	var path *os.PathError
	text := err.Error()
	return errors.As(err, &path) || strings.Contains(text, "root certificate") || strings.Contains(text, "client certificate")
}
