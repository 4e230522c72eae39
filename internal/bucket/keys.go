package bucket

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
	"gopkg.in/ini.v1"
)

// keyChain looks for access keys in one place after the other. Unlike the client library's chain it does not look again before each
// request where there are none, which takes seconds outside of a cloud, and does not become anonymous when keys cannot be renewed.
type keyChain struct {
	places []credentials.Provider
	found  credentials.Provider // the place that had keys
}

// keyPlaces are where access keys are looked for, in this order.
func keyPlaces() []credentials.Provider {
	list := []credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}}
	timeout, named := 3*time.Second, false // outside of a cloud nothing answers
	for _, v := range []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		if os.Getenv(v) != "" {
			timeout, named = 30*time.Second, true
		}
	}
	if named || !strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		list = append(list, &credentials.IAM{Client: &http.Client{Timeout: timeout}})
	}
	return list
}

// RetrieveWithCredContext implements [credentials.Provider]. The value is empty for anonymous requests.
func (c *keyChain) RetrieveWithCredContext(cc *credentials.CredContext) (credentials.Value, error) {
	var broken error
	for _, p := range c.places {
		v, err := p.RetrieveWithCredContext(cc)
		if err == nil && v.AccessKeyID != "" && v.SecretAccessKey != "" {
			c.found = p
			return v, nil
		}
		if _, files := p.(*credentials.FileAWSCredentials); files {
			err = fileError(err)
			broken = err
		}
		if p == c.found || broken != nil && os.Getenv("AWS_PROFILE") != "" {
			return credentials.Value{}, cmp.Or(err, errNoKeys)
		}
	}
	return credentials.Value{SignerType: credentials.SignatureAnonymous}, broken
}

var errNoKeys = errors.New("there are no access keys any more where they were found before")

// fileError returns why the files in ~/.aws give no keys, nil if they do not have to. No line of the files is in it.
func fileError(err error) error {
	profile := os.Getenv("AWS_PROFILE")
	switch {
	case err == nil || profile == "" && strings.Contains(err.Error(), "does not exist") || errors.Is(err, fs.ErrNotExist) && profile == "":
		return nil
	case ini.IsErrDelimiterNotFound(err):
		err = errors.New("a line is neither a [section] nor name = value")
	}
	return fmt.Errorf("the access keys in ~/.aws (profile %q) cannot be used: %w", cmp.Or(profile, "default"), err)
}

// Retrieve implements [credentials.Provider].
func (c *keyChain) Retrieve() (credentials.Value, error) { return c.RetrieveWithCredContext(nil) }

// IsExpired implements [credentials.Provider].
func (c *keyChain) IsExpired() bool { return c.found != nil && c.found.IsExpired() }
