package bucket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/minio/minio-go/v7"

	"photodesc/internal/spool"
)

// ErrGone is the reason if an object is not there any more.
var ErrGone = errors.New("the object is gone")

// DeniedError is returned if the storage refuses access.
type DeniedError struct {
	Why       string
	anonymous bool
	clock     bool // the keys may be right: the storage has another time
}

func (e *DeniedError) Error() string {
	if e.anonymous {
		return "no access: " + e.Why + " (without access keys: none were found)"
	}
	return "no access: " + e.Why
}

// Advice is what to do about a DeniedError, in a line of its own.
func (e *DeniedError) Advice() string {
	if e.clock {
		return "\n  set the clock of this machine, or of the storage: signatures hold for a few minutes"
	}
	return "\n  set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, to keys with the rights s3:ListBucket and s3:GetObject"
}

// explain returns an error of the client library as one for people. Neither addresses with signatures nor access keys are in it.
func (b *Bucket) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || isLocal(err) {
		return err
	}
	if e := (minio.ErrorResponse{}); errors.As(err, &e) {
		switch e.Code {
		case "NoSuchKey":
			return ErrGone
		case "NoSuchBucket":
			return fmt.Errorf("there is no bucket %q at %s", b.name, b.endpoint)
		case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "AllAccessDisabled", "AccountProblem", "RequestTimeTooSkewed":
			why := e.Message
			if why == "" || e.Code == "InvalidAccessKeyId" || e.Code == "SignatureDoesNotMatch" {
				why = e.Code // some storages repeat the key in the message
			}
			return &DeniedError{why, b.anonymous, e.Code == "RequestTimeTooSkewed"}
		case "InvalidObjectState":
			return errors.New("the object is archived: restore it first")
		case invalidName:
			return errors.New("its key is not UTF-8, and such an object cannot be asked for")
		}
		if isOtherRegion(e.Code) {
			return fmt.Errorf("the bucket %q is not in the region %q: give the right one with --s3-region", b.name, b.region)
		}
		if e.Code != "" {
			return fmt.Errorf("the storage at %s answers %s (%d)", b.endpoint, e.Code, e.StatusCode)
		}
	}
	if u := (*url.Error)(nil); errors.As(err, &u) { // it has the whole address of the request
		err = u.Err
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return fmt.Errorf("the storage at %s does not use TLS: give its address as http://%s", b.endpoint, b.endpoint)
	}
	if certificate := (*tls.CertificateVerificationError)(nil); errors.As(err, &certificate) {
		return fmt.Errorf("the storage at %s: %w; AWS_CA_BUNDLE names a file with the certificate of a storage of your own", b.endpoint, certificate)
	}
	if n := net.Error(nil); errors.As(err, &n) && n.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the storage at %s does not answer in time", b.endpoint)
	}
	return fmt.Errorf("the storage at %s: %w", b.endpoint, err)
}

// invalidName is the client library's code for a key that it does not ask for.
const invalidName = "XMinioInvalidObjectName"

// final reports whether another try would have the same result.
func final(err error) bool {
	if e := (minio.ErrorResponse{}); errors.As(err, &e) {
		return e.Code == "NoSuchKey" || e.Code == "InvalidObjectState" || e.Code == invalidName
	}
	return isLocal(err)
}

// isLocal reports whether an error does not come from the storage.
func isLocal(err error) bool {
	var large *spool.TooLargeError
	var disk *spool.DiskError
	return errors.Is(err, ErrGone) || errors.As(err, &large) || errors.As(err, &disk) || errors.Is(err, spool.ErrClosed)
}

// asDenied returns the *DeniedError in err.
func asDenied(err error) (denied *DeniedError, ok bool) {
	ok = errors.As(err, &denied)
	return denied, ok
}
