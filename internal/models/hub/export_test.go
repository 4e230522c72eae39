package hub

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
)

// Trust makes a client believe a test server.
func (c *Client) Trust(cert *x509.Certificate) {
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	c.http.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
}

// Token is what the client shows the hub, and where that is from.
func (c *Client) Token() (token, from string) { return c.token, c.tokenFrom }
