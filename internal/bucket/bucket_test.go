package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"photodesc/internal/bucket/buckettest"
	"photodesc/internal/photo"
	"photodesc/internal/spool"
)

func open(t *testing.T, s *buckettest.Server, prefix string) *Bucket {
	t.Helper()
	for _, v := range s.Environment() {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	b, err := Open("s3://"+buckettest.Bucket+"/"+prefix, Options{sleep: noSleep})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func noSleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

func list(t *testing.T, b *Bucket) {
	t.Helper()
	if err := b.List(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
}

func TestAddress(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	for address, want := range map[string]string{
		"s3://bkt": "s3://bkt", "s3://bkt/": "s3://bkt", "s3://bkt/x/y/": "s3://bkt/x/y", "s3://bkt/x y/ü%20": "s3://bkt/x y/ü%20", "s3://bkt//x": "s3://bkt//x",
		"s3://b/x": "", "s3://..x/y": "",
		"s3://": "", "s3:///x": "", "s3://key:secret@b/x": "", "s3://b:9000/x": "",
	} {
		b, err := Open(address, Options{})
		if err == nil && b.Name() != want {
			t.Errorf("%s: %s", address, b.Name())
		}
		if (err == nil) != (want != "") {
			t.Errorf("%s: %v", address, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("%s: the error has the secret: %v", address, err)
		}
	}
	for _, endpoint := range []string{"https://key:secret@host", "ftp://host/secret", "https://", "https://host/secret", "http://a b/secret", "://secret"} {
		if _, err := Open("s3://bkt", Options{Endpoint: endpoint}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func TestETag(t *testing.T) {
	for _, tag := range []string{"d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e-17", "D41D8CD98F00B204E9800998ECF8427E", "", "x-1",
		"d41d8cd98f00b204e9800998ecf8427e-0", "d41d8cd98f00b204e9800998ecf8427e-07", "d41d8cd98f00b204e9800998ecf8427e-", "d41d8cd98f00b204e9800998ecf8427e-999999999"} {
		var o object
		if o.setETag(tag); o.etag() != tag {
			t.Errorf("%q became %q", tag, o.etag())
		}
	}
}

func TestTreeOfKeys(t *testing.T) {
	s := buckettest.New(t)
	keys := []string{"p/a.jpg", "p/a/b.jpg", "p/a/c/d.jpg", "p/a b/e.jpg", "p/a-/f.jpg", "p/a0.jpg", "p/g.jpg/h.jpg", "p/g.jpg", "p/x/", "p/n\new.jpg",
		"p/ü/ÿ.jpg", "p/q//r.jpg", "p/../up.jpg", "p/./dot.jpg", "p/.hidden/i.jpg", "p/plus+%20 &.jpg", "pp/other.jpg", "p.jpg"}
	for _, k := range keys {
		s.Put(t, k, []byte("x"))
	}
	b := open(t, s, "p")
	list(t, b)
	var found []string
	if err := photo.Walk(t.Context(), b.Name(), photo.WalkOptions{Tree: b}, func(rel string) error { found = append(found, rel); return nil }); err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	want := []string{"a b/e.jpg", "a-/f.jpg", "a.jpg", "a/b.jpg", "a/c/d.jpg", "a0.jpg", "g.jpg", "g.jpg/h.jpg", "n\new.jpg", "plus+%20 &.jpg", "q//r.jpg", "ü/ÿ.jpg"}
	if !slices.Equal(found, want) {
		t.Errorf("found %q\n want %q", found, want)
	}
	if b.Odd() != (Odd{2, "p/../up.jpg"}) {
		t.Errorf("%+v", b.Odd())
	}
	f := fetcher(t, b)
	for _, rel := range want {
		got, err := f.Fetch(t.Context(), rel)
		if err != nil {
			t.Errorf("%q: %v", rel, err)
			continue
		}
		if o, there := b.Stat(rel); !there || o != got.Object {
			t.Errorf("%q: %v, %v", rel, o, got.Object)
		}
		got.Remove()
	}
	if _, there := b.Stat("a"); there {
		t.Error("a folder is taken for an object")
	}
	if head, err := b.ReadHead(t.Context(), "a.jpg", 10); string(head) != "x" || err != nil {
		t.Errorf("%q, %v", head, err)
	}
}

func fetcher(t *testing.T, b *Bucket) *Fetcher {
	t.Helper()
	s, err := spool.Open(t.TempDir(), spool.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return NewFetcher(b, s, nil)
}

// Each fault of the storage comes for a while, or for ever.
func TestFaults(t *testing.T) {
	body := strings.Repeat("picture", 20_000)
	first := func(n int64, f buckettest.Fault) func(*http.Request, string) buckettest.Fault {
		var asked atomic.Int64
		return func(_ *http.Request, key string) buckettest.Fault {
			if key == "p/a.jpg" && asked.Add(1) <= n {
				return f
			}
			return buckettest.Fault{}
		}
	}
	everything := func(f buckettest.Fault, n int64) func(*http.Request, string) buckettest.Fault {
		var asked atomic.Int64
		return func(*http.Request, string) buckettest.Fault {
			if asked.Add(1) <= n {
				return f
			}
			return buckettest.Fault{}
		}
	}
	const always = 1 << 40
	random := func(*http.Request, string) buckettest.Fault {
		return buckettest.Fault{ETag: fmt.Sprintf("%032x", rand.Uint64())}
	}
	for _, c := range []struct {
		name  string
		fault func(*http.Request, string) buckettest.Fault
		want  string // the error; "" is none
		away  int    // how often it is said that the storage is away or back
		stall time.Duration
	}{
		{"500 once", first(1, buckettest.Fault{Status: 500, Code: "InternalError"}), "", 0, 0},
		{"503 for one object", first(always, buckettest.Fault{Status: 503, Code: "SlowDown"}), "answers SlowDown (503)", 0, 0},
		{"cut once", first(1, buckettest.Fault{Cut: 70_000}), "", 0, 0},
		{"cut always", first(always, buckettest.Fault{Cut: 70_000}), "unexpected EOF|connection reset", 0, 0},
		{"stalls once", first(1, buckettest.Fault{Stall: time.Hour}), "", 0, time.Second},
		{"wrong etag once", first(1, buckettest.Fault{ETag: "d41d8cd98f00b204e9800998ecf8427e"}), "", 0, 0},
		{"denied", first(always, buckettest.Fault{Status: 403, Code: "AccessDenied"}), "no access: as the test wants", 0, 0},
		{"gone", first(always, buckettest.Fault{Status: 404, Code: "NoSuchKey"}), "the object is gone", 0, 0},
		{"archived", first(always, buckettest.Fault{Status: 403, Code: "InvalidObjectState"}), "archived", 0, 0},
		{"another etag each time", random, "another one each time", 0, 0},
		{"all away", everything(buckettest.Fault{Drop: true}, 8), "", 2, 0},
		{"all denied for a while", everything(buckettest.Fault{Status: 403, Code: "ExpiredToken"}, 8), "", 2, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := buckettest.New(t)
			s.Put(t, "p/a.jpg", []byte(body))
			b := open(t, s, "p")
			list(t, b)
			said := []error{}
			b.stall = cmp.Or(c.stall, b.stall)
			f := fetcher(t, b)
			f.outage.away = func(why error) { said = append(said, why) }
			s.SetFault(c.fault)
			got, err := f.Fetch(t.Context(), "a.jpg")
			if c.want != "" {
				if err == nil || !slices.ContainsFunc(strings.Split(c.want, "|"), func(w string) bool { return strings.Contains(err.Error(), w) }) {
					t.Fatalf("error %v, want %q", err, c.want)
				}
				if n := s.Requests("p/a.jpg"); n > fetchTries+1 {
					t.Errorf("asked for %d times", n)
				}
				if used := f.spool.Used(); used != 0 {
					t.Errorf("%d bytes are left in the spool", used)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if read, err := os.ReadFile(got.Path()); string(read) != body {
				t.Errorf("%d bytes, %v", len(read), err)
			}
			if o, _ := b.Stat("a.jpg"); got.Object != o {
				t.Errorf("%v, listed was %v", got.Object, o)
			}
			if len(said) != c.away || len(said) == 2 && (said[0] == nil || said[1] != nil) {
				t.Errorf("said %q", said)
			}
			if s.Writes() > 0 {
				t.Errorf("%d requests that write", s.Writes())
			}
		})
	}
}

// An object that was written again after it was listed is taken as it is now.
func TestChangedSinceListed(t *testing.T) {
	s := buckettest.New(t)
	s.Put(t, "p/a.jpg", []byte("old"))
	b := open(t, s, "p")
	list(t, b)
	s.Put(t, "p/a.jpg", []byte("newer one"))
	got, err := fetcher(t, b).Fetch(t.Context(), "a.jpg")
	if err != nil {
		t.Fatal(err)
	}
	if read, _ := os.ReadFile(got.Path()); string(read) != "newer one" || got.Object.Size != 9 {
		t.Errorf("%q, %+v", read, got.Object)
	}
	if o, _ := b.Stat("a.jpg"); o.ETag == got.ETag {
		t.Error("the identity is the old one")
	}
}

// A listing goes on where it was broken off, and the errors say what is wrong.
func TestListFaults(t *testing.T) {
	s := buckettest.New(t)
	for i := range 2500 {
		s.Put(t, fmt.Sprintf("p/%04d.jpg", i), nil)
	}
	b := open(t, s, "p")
	var asked atomic.Int64
	s.SetFault(func(*http.Request, string) buckettest.Fault {
		if n := asked.Add(1); n == 2 || n == 3 || n == 4 { // more than the client library tries by itself
			return buckettest.Fault{Drop: true}
		}
		return buckettest.Fault{}
	})
	if list(t, b); b.Len() != 2500 {
		t.Errorf("%d objects", b.Len())
	}
	for code, want := range map[string]string{"AccessDenied": "no access", "NoSuchBucket": "there is no bucket", "InvalidAccessKeyId": "InvalidAccessKeyId"} {
		s.SetFault(func(*http.Request, string) buckettest.Fault { return buckettest.Fault{Status: 403, Code: code} })
		if err := b.List(t.Context(), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", code, err)
		}
	}
	for code, want := range map[string]string{"RequestTimeTooSkewed": "clock", "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY"} {
		s.SetFault(func(*http.Request, string) buckettest.Fault { return buckettest.Fault{Status: 403, Code: code} })
		denied := (*DeniedError)(nil)
		if err := b.List(t.Context(), nil); !errors.As(err, &denied) || !strings.Contains(denied.Advice(), want) {
			t.Errorf("%s: %v: no advice about %s", code, err, want)
		}
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	anonymous, err := Open("s3://"+buckettest.Bucket, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.SetFault(func(*http.Request, string) buckettest.Fault {
		return buckettest.Fault{Status: 403, Code: "AccessDenied"}
	})
	if err := anonymous.List(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "none were found") {
		t.Errorf("without keys: %v", err)
	}
}

func TestFetchStops(t *testing.T) {
	s := buckettest.New(t)
	s.Put(t, "p/a.jpg", []byte("x"))
	b := open(t, s, "p")
	list(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	s.SetFault(func(*http.Request, string) buckettest.Fault { cancel(); return buckettest.Fault{Drop: true} })
	if _, err := fetcher(t, b).Fetch(ctx, "a.jpg"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
