// Package clustertest starts NATS servers as they are one's own, and makes what these may want of those who connect: certificates, and
// credentials in files.
package clustertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// Start starts a NATS server with JetStream on the loopback address, as one of somebody's own. The caller ends it.
func Start(t testing.TB, o server.Options) *server.Server {
	t.Helper()
	o.Host, o.NoLog, o.NoSigs, o.JetStream = "127.0.0.1", true, true, true
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server is not ready")
	}
	return s
}

// Authority signs certificates.
type Authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	File string // its certificate
}

// NewAuthority makes an authority.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{t: t, File: filepath.Join(t.TempDir(), name+".pem")}
	a.cert = &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.write(a.File, "CERTIFICATE", der)
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *Authority) write(path, kind string, der []byte) {
	a.t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// Issue writes a certificate and its key and returns the files.
func (a *Authority) Issue(name string, until time.Time) (cert, key string) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	var ips []net.IP
	if name == "localhost" {
		ips = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: ips,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &private.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, key = filepath.Join(a.t.TempDir(), name+".pem"), filepath.Join(a.t.TempDir(), name+"-key.pem")
	a.write(cert, "CERTIFICATE", der)
	a.write(key, "PRIVATE KEY", pkcs)
	return cert, key
}

// ServerTLS is what a server presents. With verify it wants certificates of this Authority.
func (a *Authority) ServerTLS(name string, until time.Time, verify bool) *tls.Config {
	a.t.Helper()
	file, key := a.Issue(name, until)
	cert, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		a.t.Fatal(err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	if verify {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		c.ClientCAs.AddCert(a.cert)
	}
	return c
}

// Operator is what a server in Operator mode trusts: accounts and users are JWTs.
type Operator struct {
	t             testing.TB
	Options       server.Options // of the server, to be completed
	account       nkeys.KeyPair
	accountPublic string
}

// RunPermissions and NodePermissions are those that docs/cluster.md lists, for any run.
var (
	RunPermissions = jwt.Permissions{
		Pub: jwt.Permission{Allow: jwt.StringList{"$JS.API.>", "$JS.ACK.>", "photodesc.>", "_INBOX.>"}},
		Sub: jwt.Permission{Allow: jwt.StringList{"photodesc.>", "_INBOX.>"}},
	}
	NodePermissions = jwt.Permissions{
		Pub: jwt.Permission{Allow: jwt.StringList{"photodesc.*.ask.>", "photodesc.*.result.>", "$JS.API.CONSUMER.INFO.*.all", "$JS.API.CONSUMER.MSG.NEXT.*.all", "$JS.ACK.>"}},
		Sub: jwt.Permission{Allow: jwt.StringList{"photodesc.*.all", "_INBOX.>"}},
	}
)

// NewOperator makes an operator with an account that may use a little of JetStream.
func NewOperator(t testing.TB) *Operator {
	t.Helper()
	o := &Operator{t: t}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	pair := func(make func() (nkeys.KeyPair, error)) (nkeys.KeyPair, string) {
		k, err := make()
		must(err)
		public, err := k.PublicKey()
		must(err)
		return k, public
	}
	key, public := pair(nkeys.CreateOperator)
	o.account, o.accountPublic = pair(nkeys.CreateAccount)
	_, system := pair(nkeys.CreateAccount)
	claims := jwt.NewOperatorClaims(public)
	claims.SystemAccount = system
	token, err := claims.Encode(key)
	must(err)
	decoded, err := jwt.DecodeOperatorClaims(token)
	must(err)
	resolver := &server.MemAccResolver{}
	for _, name := range []string{o.accountPublic, system} {
		a := jwt.NewAccountClaims(name)
		if name != system {
			a.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: 200 << 20, Streams: 4, Consumer: 8, MaxBytesRequired: true}
		}
		token, err := a.Encode(key)
		must(err)
		must(resolver.Store(name, token))
	}
	o.Options = server.Options{TrustedOperators: []*jwt.OperatorClaims{decoded}, AccountResolver: resolver, SystemAccount: system}
	return o
}

// Creds writes the file of a new user.
func (o *Operator) Creds(name string, p jwt.Permissions, until time.Time) string {
	o.t.Helper()
	user, err := nkeys.CreateUser()
	if err != nil {
		o.t.Fatal(err)
	}
	public, _ := user.PublicKey()
	seed, _ := user.Seed()
	claims := jwt.NewUserClaims(public)
	claims.Permissions = p
	if !until.IsZero() {
		claims.Expires = until.Unix()
	}
	token, err := claims.Encode(o.account)
	if err != nil {
		o.t.Fatal(err)
	}
	data, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		o.t.Fatal(err)
	}
	path := filepath.Join(o.t.TempDir(), name+".creds")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}
