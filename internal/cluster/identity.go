package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"photodesc/internal/durable"
	"photodesc/internal/fsutil"
)

const (
	// FolderName is the folder in a workdir with what is needed to share its runs.
	FolderName   = "cluster"
	identityName = "identity.json"
	maxIdentity  = 64 << 10

	secretLen      = 24 // bytes of a token and of a secret
	fingerprintLen = 43 // base64 of a SHA-256
)

// Identity is what nodes know a workdir by. It is made on first use and stays the same, so that nodes find the run again after it
// was stopped.
type Identity struct {
	Run    string // names the streams on a server that several runs share
	Token  string // nodes must know it
	Secret []byte // of job IDs; nodes do not know it
	Port   int    // that was listened on last, 0 if none was

	Certificate tls.Certificate

	path   string
	stored storedIdentity
}

type storedIdentity struct {
	Token  string `json:"token"`
	Secret []byte `json:"secret"`
	Port   int    `json:"port,omitempty"`
	Key    string `json:"key"`         // PEM
	Cert   string `json:"certificate"` // PEM
}

// LoadIdentity reads the identity of a workdir, or makes it. The workdir's lock must be held.
func LoadIdentity(workdir string) (*Identity, error) {
	dir := filepath.Join(workdir, FolderName)
	id := &Identity{path: filepath.Join(dir, identityName)}
	data, err := fsutil.ReadSmall(id.path, maxIdentity)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
		if id.stored, err = newIdentity(time.Now()); err != nil {
			return nil, err
		}
		if err := id.save(); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(data, &id.stored); err != nil {
			return nil, id.damaged(err)
		}
	}
	s := &id.stored
	if len(s.Token) == 0 || len(s.Secret) < secretLen {
		return nil, id.damaged(errors.New("token or secret is missing"))
	}
	if id.Certificate, err = tls.X509KeyPair([]byte(s.Cert), []byte(s.Key)); err != nil {
		return nil, id.damaged(err)
	}
	id.Run, id.Token, id.Secret, id.Port = RunOf(s.Token), s.Token, s.Secret, s.Port
	return id, nil
}

func (id *Identity) damaged(err error) error {
	return fmt.Errorf("%q cannot be used: %w\n  remove it; nodes then need the new address", id.path, err)
}

// SetPort keeps the port, so that the address stays the same.
func (id *Identity) SetPort(port int) error {
	if id.Port == port {
		return nil
	}
	id.Port, id.stored.Port = port, port
	return id.save()
}

func (id *Identity) save() error {
	data, err := json.MarshalIndent(id.stored, "", " ")
	if err != nil {
		return err
	}
	return durable.WriteFile(id.path, append(data, '\n'), 0o600)
}

func newIdentity(now time.Time) (s storedIdentity, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return s, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return s, err
	}
	// Nodes compare the fingerprint, not names and dates. The dates allow for clocks that are wrong.
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "photodesc"}, DNSNames: []string{"photodesc"},
		NotBefore: now.AddDate(-30, 0, 0), NotAfter: now.AddDate(70, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return s, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return s, err
	}
	return storedIdentity{
		Token: RandomSecret(), Secret: []byte(RandomSecret()),
		Key:  string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		Cert: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})),
	}, nil
}

// RunOf is the name of the run with this token.
func RunOf(token string) string {
	sum := sha256.Sum256([]byte("run " + token))
	return hex.EncodeToString(sum[:6])
}

// RandomSecret returns 192 random bits as 32 characters that may stand in an address.
func RandomSecret() string {
	b := make([]byte, secretLen)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Fingerprint identifies a certificate: the SHA-256 of its DER, as base64 without padding.
func Fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Fingerprint returns that of the identity's certificate.
func (id *Identity) Fingerprint() string { return Fingerprint(id.Certificate.Certificate[0]) }

// ErrFingerprint is the reason when a server has another certificate than the address says.
var ErrFingerprint = errors.New("the server has another certificate than the address says: it is not the run's own, or its key was made anew")

// PinnedTLS accepts the certificate with this fingerprint and no other.
func PinnedTLS(fingerprint string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: "photodesc",
		InsecureSkipVerify: true, // VerifyConnection does it
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || Fingerprint(s.PeerCertificates[0].Raw) != fingerprint {
				return ErrFingerprint
			}
			return nil
		},
	}
}
