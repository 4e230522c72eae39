package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

const scheme = "s3://"

// Options say where the storage is. What is empty comes from the environment.
type Options struct {
	Endpoint string // "https://minio.example:9000"; else AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or Amazon
	Region   string // else AWS_REGION, AWS_DEFAULT_REGION, the profile in ~/.aws/config, or what the storage says

	sleep func(context.Context, time.Duration) error // set by tests
}

// Bucket is the part of a bucket below a prefix.
type Bucket struct {
	core      minio.Core
	keys      *credentials.Credentials
	region    string // "" is what the storage says
	secure    bool   // by TLS
	name      string // of the bucket
	prefix    string // of keys: "" or with a slash at the end
	endpoint  string
	anonymous bool          // no access keys were found
	stall     time.Duration // how long a connection may be silent
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

// Open returns the bucket of an address such as s3://bucket/photos. It looks for access keys, which a cloud may have to be asked for, and
// asks the storage for nothing.
func Open(address string, opts Options) (*Bucket, error) {
	name, prefix, err := parse(address)
	if err != nil {
		return nil, err
	}
	endpoint, region, err := FromEnvironment()
	if err != nil && opts.Endpoint == "" {
		return nil, err
	}
	host, secure, err := endpointOf(cmp.Or(opts.Endpoint, endpoint, "https://s3.amazonaws.com"))
	if err != nil {
		return nil, err
	}
	b := &Bucket{name: name, prefix: prefix, endpoint: host, secure: secure, stall: stallTimeout, sleep: opts.sleep}
	if b.sleep == nil {
		b.sleep = sleep
	}
	b.keys = credentials.New(&keyChain{places: keyPlaces()})
	if err := b.connect(cmp.Or(opts.Region, region, profileRegion())); err != nil {
		return nil, err
	}
	found, err := b.keys.GetWithContext(b.core.CredContext())
	if err != nil {
		return nil, err
	}
	b.anonymous = found.AccessKeyID == ""
	return b, nil
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
