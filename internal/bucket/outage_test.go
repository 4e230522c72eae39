package bucket

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"photodesc/internal/bucket/buckettest"
	"photodesc/internal/spool"
)

// While no object can be read, none fails, also if the list can be read. Eight fetches ask together no more often than one.
func TestObjectsAway(t *testing.T) {
	s := buckettest.New(t)
	names := []string{"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg", "g.jpg", "h.jpg"}
	for _, name := range names {
		s.Put(t, "p/"+name, []byte("picture"))
	}
	b := open(t, s, "p")
	list(t, b)
	var probes, asked atomic.Int64
	s.SetFault(func(_ *http.Request, key string) buckettest.Fault {
		if key == "" {
			probes.Add(1)
		} else if asked.Add(1) < 200 {
			return buckettest.Fault{Status: 409, Code: "OperationAborted"} // the client library does not try again by itself
		}
		return buckettest.Fault{}
	})
	var said []error
	f := fetcher(t, b)
	f.outage.away = func(why error) { said = append(said, why) }
	var wait sync.WaitGroup
	for _, name := range names {
		wait.Go(func() {
			if _, err := f.Fetch(t.Context(), name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wait.Wait()
	if len(said) == 0 || said[0] == nil || said[len(said)-1] != nil {
		t.Errorf("said %v", said)
	}
	if n := probes.Load(); n < 60 || n > 110 {
		t.Errorf("the list was asked for %d times", n)
	}
}

// An object that may not be read does not hold up the others, and what one of them is said to be is an answer.
func TestOneDenied(t *testing.T) {
	s := buckettest.New(t)
	s.Put(t, "p/a.jpg", []byte("picture"))
	s.Put(t, "p/archived.jpg", []byte("picture"))
	b := open(t, s, "p")
	list(t, b)
	s.SetFault(func(_ *http.Request, key string) buckettest.Fault {
		switch key {
		case "p/a.jpg":
			return buckettest.Fault{Status: 403, Code: "AccessDenied"}
		case "p/archived.jpg":
			return buckettest.Fault{Status: 403, Code: "InvalidObjectState"}
		}
		return buckettest.Fault{}
	})
	if _, err := fetcher(t, b).Fetch(t.Context(), "a.jpg"); !isDenied(err) || errors.As(err, new(*RefusedError)) {
		t.Error(err)
	}
}

// Access that stays refused ends the run after a while; it is said as soon as it is refused.
func TestRefused(t *testing.T) {
	s := buckettest.New(t)
	s.Put(t, "p/a.jpg", []byte("picture"))
	b := open(t, s, "p")
	list(t, b)
	var slept time.Duration
	b.sleep = func(_ context.Context, d time.Duration) error { slept += d; return nil }
	s.SetFault(func(*http.Request, string) buckettest.Fault {
		return buckettest.Fault{Status: 403, Code: "InvalidToken"}
	})
	var said []error
	f := fetcher(t, b)
	f.outage.away = func(why error) { said = append(said, why) }
	_, err := f.Fetch(t.Context(), "a.jpg")
	var refused *RefusedError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "refused access for 10 minutes") || slept != RefusedPatience {
		t.Errorf("%v after %v", err, slept)
	}
	if len(said) != 1 || !isDenied(said[0]) {
		t.Errorf("said %v", said)
	}
}

// Keys that are written to ~/.aws while the storage refuses the old ones are taken.
func TestKeysRenewed(t *testing.T) {
	s := buckettest.New(t)
	s.Put(t, "p/a.jpg", []byte("picture"))
	keys := filepath.Join(t.TempDir(), "credentials")
	write := func(id string) {
		if err := os.WriteFile(keys, []byte("[default]\naws_access_key_id = "+id+"\naws_secret_access_key = secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("AKIAOLD")
	for _, v := range s.Environment() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", keys)
	b, err := Open("s3://"+buckettest.Bucket+"/p", Options{sleep: noSleep})
	if err != nil {
		t.Fatal(err)
	}
	list(t, b)
	s.SetFault(func(r *http.Request, _ string) buckettest.Fault {
		if strings.Contains(r.Header.Get("Authorization"), "AKIANEW") {
			return buckettest.Fault{}
		}
		return buckettest.Fault{Status: 403, Code: "InvalidToken"}
	})
	f := fetcher(t, b)
	f.outage.away = func(why error) {
		if why != nil {
			write("AKIANEW")
		}
	}
	if _, err := f.Fetch(t.Context(), "a.jpg"); err != nil {
		t.Error(err)
	}
}

// Where keys come from, and that what is wrong with them is said without them.
func TestKeys(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config":  "[default]\nregion = eu-west-1\n[profile work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = SECRET\n[profile half]\naws_access_key_id = AKIAHALF\n",
		"keys":    "[default]\naws_access_key_id = AKIAFILE\naws_secret_access_key = SECRET\n",
		"damaged": "[default]\naws_access_key_id = AKIAFILE\nSECRET\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		env  string // variables
		want string // the key, or a part of the error
	}{
		{"AWS_ACCESS_KEY_ID=AKIAENV AWS_SECRET_ACCESS_KEY=SECRET AWS_SHARED_CREDENTIALS_FILE=keys", "AKIAENV"},
		{"AWS_SHARED_CREDENTIALS_FILE=keys", "AKIAFILE"},
		{"AWS_SHARED_CREDENTIALS_FILE=keys AWS_CONFIG_FILE=config AWS_PROFILE=work", "AKIAWORK"},
		{"AWS_CONFIG_FILE=config AWS_PROFILE=work", "AKIAWORK"},
		{"AWS_CONFIG_FILE=config", ""},
		{"", ""},
		{"AWS_CONFIG_FILE=config AWS_PROFILE=play", `profile "play"`},
		{"AWS_PROFILE=play", `profile "play"`},
		{"AWS_CONFIG_FILE=config AWS_PROFILE=half", "must both be set"},
		{"AWS_SHARED_CREDENTIALS_FILE=damaged", "neither a [section] nor name = value"},
	} {
		for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"} {
			t.Setenv(name, "")
		}
		for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
			t.Setenv(name, filepath.Join(dir, "none"))
		}
		t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
		for v := range strings.FieldsSeq(c.env) {
			name, value, _ := strings.Cut(v, "=")
			if strings.HasSuffix(name, "_FILE") {
				value = filepath.Join(dir, value)
			}
			t.Setenv(name, value)
		}
		b, err := Open("s3://bkt/x", Options{Endpoint: "http://127.0.0.1:1"})
		got := ""
		if err != nil {
			got = err.Error()
		} else if v, err := b.keys.GetWithContext(nil); err == nil {
			got = v.AccessKeyID
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || err != nil && strings.Contains(got, "SECRET") {
			t.Errorf("%s: %q, %v", c.env, got, err)
		}
	}
}

// Where no keys are found, no cloud is asked for them before each request.
func TestAnonymous(t *testing.T) {
	var asked atomic.Int64
	c := &keyChain{}
	c.places = append(c.places, countingPlace{&asked})
	for range 3 {
		if c.IsExpired() || asked.Load() > 1 {
			t.Fatal("looks again")
		}
		if v, err := c.Retrieve(); err != nil || v.AccessKeyID != "" || !v.SignerType.IsAnonymous() {
			t.Fatal(v, err)
		}
		asked.Store(1)
	}
}

// What is wrong with the spool's disk is not the storage's fault, nor that of a photo.
func TestSpoolGone(t *testing.T) {
	s := buckettest.New(t)
	s.Put(t, "p/a.jpg", []byte("picture"))
	s.Put(t, "p/large.jpg", make([]byte, 2<<20))
	b := open(t, s, "p")
	list(t, b)
	f := fetcher(t, b)
	before := s.Requests("")
	if _, err := f.Fetch(t.Context(), "large.jpg"); !errors.As(err, new(*spool.TooLargeError)) || strings.Contains(err.Error(), "storage") {
		t.Error(err)
	}
	if err := os.RemoveAll(filepath.Dir(f.spool.Dir())); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Fetch(t.Context(), "a.jpg"); !errors.As(err, new(*spool.DiskError)) || strings.Contains(err.Error(), "storage") {
		t.Error(err)
	}
	if n := s.Requests(""); n != before {
		t.Errorf("the storage was asked %d times whether it is there", n-before)
	}
}

// An answer may leave its length out, and a proxy may mark the entity tag.
func TestObjectOf(t *testing.T) {
	when := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	want := Object{9, when, "abc"}
	for _, c := range []struct {
		size int64
		etag string
		now  Object
	}{
		{9, "abc", want}, {-1, "abc", want}, {9, `W/"abc"`, want}, {-1, "x", Object{9, when.Add(time.Second), "x"}}, {8, "abc", Object{8, when.Add(time.Second), "abc"}},
	} {
		info := answer(c.size, c.etag, when.Add(time.Second))
		if got := objectOf(info, want); got != c.now {
			t.Errorf("%d %s: %+v", c.size, c.etag, got)
		}
	}
}

func TestSamples(t *testing.T) {
	b := &Bucket{}
	for _, rel := range strings.Fields("a b c d e f") {
		b.objects = append(b.objects, object{rel: rel, size: int64(len(rel))})
	}
	b.objects[2].size = 0
	for rel, want := range map[string][]string{"a": {"d", "e"}, "e": {"a", "d"}, "none": {"b"}} {
		got := b.samples(rel)
		if slices.Contains(got, rel) || slices.Contains(got, "c") || rel != "none" && !slices.Equal(got, want) || len(got) != 2 {
			t.Errorf("%s: %q", rel, got)
		}
	}
	b.objects = b.objects[:1]
	if got := b.samples("a"); len(got) > 0 {
		t.Errorf("of one: %q", got)
	}
}

// countingPlace is a place without keys.
type countingPlace struct{ asked *atomic.Int64 }

func (p countingPlace) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	p.asked.Add(1)
	return credentials.Value{}, errors.New("nothing answers")
}
func (p countingPlace) Retrieve() (credentials.Value, error) { return p.RetrieveWithCredContext(nil) }
func (p countingPlace) IsExpired() bool                      { return true }

func answer(size int64, etag string, when time.Time) minio.ObjectInfo {
	return minio.ObjectInfo{Size: size, ETag: etag, LastModified: when}
}
