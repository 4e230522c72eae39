package bucket

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/minio/minio-go/v7"
	"gopkg.in/ini.v1"
)

// endpointOf returns the host of an endpoint and whether it is reached by TLS.
func endpointOf(text string) (host string, secure bool, err error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return "", false, errors.New("the endpoint of an S3 storage is an address such as https://storage.example:9000") // without text: a secret may be in it
	case u.User != nil:
		return "", false, errors.New("the endpoint of an S3 storage holds no access keys: give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or ~/.aws")
	}
	return u.Host, u.Scheme == "https", nil
}

// FromEnvironment returns the endpoint and region that variables name, "" where there are none.
func FromEnvironment() (endpoint, region string, err error) {
	endpoint = cmp.Or(os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"))
	region = cmp.Or(os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"))
	if endpoint != "" {
		_, _, err = endpointOf(endpoint)
	}
	return endpoint, region, err
}

// connect makes the client. It asks for nothing.
func (b *Bucket) connect(region string) error {
	transport, err := minio.DefaultTransport(b.secure)
	if err != nil {
		return err
	}
	transport.ResponseHeaderTimeout = b.stall
	if file := os.Getenv("AWS_CA_BUNDLE"); file != "" && b.secure {
		if transport.TLSClientConfig.RootCAs, err = certificates(file); err != nil {
			return fmt.Errorf("AWS_CA_BUNDLE: %w", err)
		}
	}
	b.region = region
	b.core.Client, err = minio.New(b.endpoint, &minio.Options{
		Creds: b.keys, Secure: b.secure, Transport: noWebPages{transport}, Region: region, MaxRetries: 1, // List and Fetcher try again
	})
	if err != nil {
		return fmt.Errorf("%s%s: %w", scheme, b.name, err)
	}
	b.core.SetAppInfo("photodesc", "")
	return nil
}

// certificates returns those of the system and of a file.
func certificates(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("there is no certificate in %q", file)
	}
	return pool, nil
}

// noWebPages refuses a list that is a web page, as of a network that wants a login. The client library takes one for an empty list.
type noWebPages struct{ http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t noWebPages) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err == nil && strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") && r.URL.Query().Has("list-type") {
		answer.Body.Close()
		return nil, errWebPage
	}
	return answer, err
}

var errWebPage = errors.New("what answers is no S3 storage: it sends a web page")

// isSetup reports whether an error is one that waiting does not end.
func isSetup(err error) bool {
	var certificate *tls.CertificateVerificationError
	e := minio.ErrorResponse{}
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &certificate) || errors.As(err, &e) && (e.Code == "NoSuchBucket" || isOtherRegion(e.Code))
}

func isOtherRegion(code string) bool {
	return code == "AuthorizationHeaderMalformed" || code == "PermanentRedirect" || code == "IllegalLocationConstraintException"
}

// otherRegion returns the region of the bucket if the storage has said so in an error, "" if not.
func otherRegion(err error) string {
	if e := (minio.ErrorResponse{}); errors.As(err, &e) && isOtherRegion(e.Code) {
		return e.Region
	}
	return ""
}

// profileRegion returns the region that ~/.aws/config has for the profile in use, "" if there is none.
func profileRegion() string {
	path := os.Getenv("AWS_CONFIG_FILE")
	if home, err := os.UserHomeDir(); path == "" && err == nil {
		path = filepath.Join(home, ".aws", "config")
	}
	file, err := ini.Load(path)
	if err != nil {
		return ""
	}
	section := "default"
	if profile := os.Getenv("AWS_PROFILE"); profile != "" && profile != section {
		section = "profile " + profile
	}
	return file.Section(section).Key("region").String()
}
