package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
	"gopkg.in/ini.v1"
)

const scheme = "s3://"

// Options say where the storage is. What is empty comes from the environment.
type Options struct {
	Endpoint string // "https://minio.example:9000"; else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or Amazon
	Region   string // else AWS_REGION, AWS_DEFAULT_REGION, the profile in ~/.aws/config, or what the storage says

	stall time.Duration                              // how long a connection may be silent; set by tests
	sleep func(context.Context, time.Duration) error // set by tests
}

// Bucket is the part of a bucket below a prefix.
type Bucket struct {
	core      minio.Core
	keys      *credentials.Credentials
	name      string // of the bucket
	prefix    string // of keys: "" or with a slash at the end
	endpoint  string
	anonymous bool // no access keys were found
	stall     time.Duration
	sleep     func(context.Context, time.Duration) error

	objects []object // by rel
	odd     Odd
}

// parse divides an address such as s3://bucket/photos/2024 into bucket and prefix.
func parse(address string) (name, prefix string, err error) {
	name, prefix, _ = strings.Cut(strings.TrimPrefix(address, scheme), "/")
	switch {
	case strings.Contains(name, "@") || strings.Contains(name, ":"):
		// The address is not repeated: there may be a secret in it.
		return "", "", errors.New("the address of a bucket is s3://BUCKET/PREFIX\n  access keys belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or ~/.aws, an endpoint into --s3-endpoint")
	case name == "":
		return "", "", fmt.Errorf("%q names no bucket: give s3://BUCKET/PREFIX", address)
	}
	if err := s3utils.CheckValidBucketName(name); err != nil {
		return "", "", fmt.Errorf("%q is no bucket: %w", scheme+name, err)
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return name, prefix, nil
}

// Canonical returns an address as it is recorded, without a slash at its end.
func Canonical(address string) (string, error) {
	name, prefix, err := parse(address)
	return scheme + strings.TrimSuffix(name+"/"+prefix, "/"), err
}

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

// Open returns the bucket of an address such as s3://bucket/photos. It looks for access keys, which a cloud may have to be asked for, and
// asks the storage for nothing.
func Open(address string, opts Options) (*Bucket, error) {
	name, prefix, err := parse(address)
	if err != nil {
		return nil, err
	}
	endpoint := cmp.Or(opts.Endpoint, os.Getenv("AWS_ENDPOINT_URL_S3"), os.Getenv("AWS_ENDPOINT_URL"), "https://s3.amazonaws.com")
	host, secure, err := endpointOf(endpoint)
	if err != nil {
		return nil, err
	}
	transport, err := minio.DefaultTransport(secure)
	if err != nil {
		return nil, err
	}
	b := &Bucket{name: name, prefix: prefix, endpoint: host, stall: cmp.Or(opts.stall, stallTimeout), sleep: opts.sleep}
	if b.sleep == nil {
		b.sleep = sleep
	}
	transport.ResponseHeaderTimeout = b.stall
	b.keys = credentials.New(&keyChain{places: keyPlaces()})
	b.core.Client, err = minio.New(host, &minio.Options{
		Creds: b.keys, Secure: secure, Transport: transport, MaxRetries: 1, // List and Fetcher try again
		Region: cmp.Or(opts.Region, os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION"), profileRegion()),
	})
	if err != nil {
		return nil, fmt.Errorf("%s%s: %w", scheme, name, err)
	}
	b.core.SetAppInfo("photodesc", "")
	found, err := b.keys.GetWithContext(b.core.CredContext())
	if err != nil {
		return nil, err
	}
	b.anonymous = found.AccessKeyID == ""
	return b, nil
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

// Name returns the address of the bucket and prefix, without a slash at the end.
func (b *Bucket) Name() string { return scheme + strings.TrimSuffix(b.name+"/"+b.prefix, "/") }

// Available asks the storage for one key and returns why it does not answer as it should, nil if it does.
func (b *Bucket) Available(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.stall)
	defer cancel()
	for o := range b.core.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true, MaxKeys: 1}) {
		return b.explain(o.Err)
	}
	return nil
}
