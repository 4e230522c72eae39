package cluster

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// TestNotLetIn: who does not know the token or finds another certificate.
func TestNotLetIn(t *testing.T) {
	r := serve(t, testOptions{photos: numbered(1)})
	a := r.address()
	wrong := a
	wrong.Token = RandomSecret()
	if _, err := Dial(wrong, RandomSecret(), func(error) {}); !errors.Is(err, ErrToken) {
		t.Errorf("a wrong token: %v", err)
	}
	wrong = a
	wrong.Fingerprint = Fingerprint([]byte("another"))
	if _, err := Dial(wrong, RandomSecret(), func(error) {}); !errors.Is(err, ErrFingerprint) {
		t.Errorf("another certificate: %v", err)
	}
	insecure := nats.Secure(&tls.Config{InsecureSkipVerify: true})
	for name, options := range map[string][]nats.Option{
		"nothing":                {insecure},
		"token alone":            {insecure, nats.Token(a.Token)},
		"the coordinator's name": {insecure, nats.UserInfo(insideUser, a.Token)},
		"a short secret":         {insecure, nats.UserInfo("x", a.Token)},
		"no TLS":                 {nats.UserInfo(RandomSecret(), a.Token)},
	} {
		if nc, err := nats.Connect("nats://"+a.Host, options...); err == nil {
			nc.Close()
			t.Errorf("%s: let in", name)
		}
	}
	// Without TLS nothing is said but the server's greeting.
	c, err := net.Dial("tcp", a.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "CONNECT {\"verbose\":true,\"user\":%q,\"pass\":%q}\r\nPING\r\n", RandomSecret(), a.Token)
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	var got []byte
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		got = append(got, buf[:n]...)
		if err != nil {
			break
		}
	}
	if strings.Contains(string(got), "PONG") {
		t.Errorf("without TLS: %q", got)
	}
}

// TestHostileNode: a node with the token does not get at what is not its own.
func TestHostileNode(t *testing.T) {
	photos := numbered(4)
	r := serve(t, testOptions{photos: photos, local: "here"})
	secret := RandomSecret()
	l, err := Dial(r.address(), secret, func(error) {})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Join(t.Context(), "", "evil", "test", 1); err != nil {
		t.Fatal(err)
	}
	denied := make(chan error, 100)
	l.nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err })
	s := l.subjects
	tries := 0
	for _, subject := range []string{s.result("0123456789abcdef"), s.ask("0123456789abcdef", askBeat), s.all(), s.job(), "$JS.API.STREAM.DELETE." + s.jobStream(),
		"$JS.API.STREAM.MSG.GET." + s.resultStream(), "$JS.API.CONSUMER.CREATE." + s.jobStream(), "$JS.ACK." + s.resultStream() + ".all.1.1.1.1.1", "$SYS.REQ.SERVER.PING"} {
		_ = l.nc.Publish(subject, []byte("x"))
		tries++
	}
	for _, subject := range []string{">", s.job(), s.results(), s.asks(), "_INBOX.>", inboxPrefix("0123456789abcdef") + ".>", "$JS.>"} {
		_, _ = l.nc.SubscribeSync(subject)
		tries++
	}
	_ = l.nc.Flush()
	for i := range tries {
		select {
		case err := <-denied:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Error(err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%d of %d tries were denied", i, tries)
		}
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	// Photos that it was not given, whatever they are called.
	for _, path := range []string{photos[0], "../../etc/passwd", "/etc/passwd", "", "a\x00b"} {
		for _, id := range []string{"", strings.Repeat("A", 24), sealer{[]byte("guessed"), "settings"}.id(path)} {
			c, err := l.chunk(ctx, askPhoto, photoRequest{id, rawPath(path), 0})
			var file *FileError
			if !errors.As(err, &file) {
				t.Errorf("%q with the ID %q: %d bytes, %v", path, id, len(c.data), err)
			}
		}
	}
	for _, q := range []modelRequest{{2, 0}, {-1, 0}, {0, -1}, {0, 1 << 40}} {
		var file *FileError
		if _, err := l.chunk(ctx, askModel, q); !errors.As(err, &file) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	// Results of jobs that it does not have, and what is no result.
	for i := range 2 * maxBad {
		data, _ := json.Marshal(result{strings.Repeat("A", 24), rawPath(photos[i%4]), "settings", "evil", described})
		if i%2 == 0 {
			data = []byte("\xff\x00{")
		}
		if err := l.nc.Publish(s.result(l.id), data); err != nil {
			break // it was put out
		}
	}
	r.paused(t, "Node evil gets no more photos: it sent results that cannot be used")
	for l.nc.IsConnected() {
		time.Sleep(5 * time.Millisecond)
	}
	if again, err := Dial(r.address(), secret, func(error) {}); !errors.Is(err, ErrToken) {
		again.Close()
		t.Errorf("it is let in again: %v", err)
	}
	for path := range r.co.Jobs(t.Context(), 1) {
		if r.co.LocalAnswer(path, described) {
			r.mu.Lock()
			r.kept[path] = append(r.kept[path], Outcome{path, "here", described})
			r.mu.Unlock()
		}
		r.co.Recorded()
	}
	l.Close()
	r.wait()
	r.once(photos)
	for path, list := range r.kept {
		if list[0].Machine != "here" {
			t.Errorf("%s is by %s", path, list[0].Machine)
		}
	}
}

// paused waits for a warning with these words.
func (r *testRun) paused(t *testing.T, wants ...string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		r.mu.Lock()
		text := strings.Join(r.warnings, "\n")
		r.mu.Unlock()
		if !slices.ContainsFunc(wants, func(want string) bool { return !strings.Contains(text, want) }) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q is not said: %s", wants, text)
		}
	}
}

// TestFlood: a node that asks or answers without end is put out, and the others go on.
func TestFlood(t *testing.T) {
	for what, c := range map[string]struct {
		flood func(l *Link, photo job)
		said  string // "" if it has not said hello
	}{
		"beats":          {func(l *Link, _ job) { l.askWithoutEnd(askBeat, Beat{Slots: 1}) }, "far more messages than a node needs"},
		"questions":      {func(l *Link, p job) { l.askWithoutEnd(askPhoto, photoRequest{ID: p.ID, Path: p.Path}) }, "far more messages"},
		"late results":   {func(l *Link, p job) { l.answerWithoutEnd(p, "settings") }, "again and again"},
		"other settings": {func(l *Link, p job) { l.answerWithoutEnd(p, "others") }, "again and again"},
		"no results":     {func(l *Link, _ job) { _, _ = l.js.PublishAsync(l.subjects.result(l.id), make([]byte, 900<<10)) }, "results that cannot be used"},
		"a stranger":     {func(l *Link, _ job) { l.askWithoutEnd(askBeat, Beat{Slots: 1}) }, ""},
		"its results":    {func(l *Link, _ job) { _, _ = l.js.PublishAsync(l.subjects.result(l.id), make([]byte, 1000)) }, ""},
	} {
		t.Run(what, func(t *testing.T) {
			photos := numbered(40)
			r := serve(t, testOptions{photos: photos, ackWait: 2 * time.Second})
			ctx, end := context.WithCancel(t.Context())
			defer end()
			l, err := Dial(r.address(), RandomSecret(), func(error) {})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			l.subjects = subjects{r.run()}
			if c.said != "" {
				if _, err := l.Join(ctx, "", "evil", "test", 1); err != nil {
					t.Fatal(err)
				}
			}
			photo := job{ID: r.co.seal.id(photos[0]), Path: rawPath(photos[0])}
			go func() {
				for ctx.Err() == nil && l.nc.IsConnected() {
					c.flood(l, photo)
				}
			}()
			if c.said != "" {
				r.paused(t, "Node evil gets no more photos: ", c.said)
			}
			for end := time.Now().Add(time.Minute); l.nc.IsConnected(); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("it is not put out")
				}
			}
			go func() {
				_, _ = joinRun(ctx, r.address(), "", "desk", 2, func(context.Context, Job) (Answer, error) { return described, nil })
			}()
			r.wait()
			r.once(photos)
		})
	}
}

// askWithoutEnd asks and does not wait for the answer.
func (l *Link) askWithoutEnd(what string, question any) {
	data, _ := json.Marshal(question)
	_ = l.nc.PublishRequest(l.subjects.ask(l.id, what), l.nc.NewInbox(), data)
}

// answerWithoutEnd sends a result of a photo.
func (l *Link) answerWithoutEnd(p job, settings string) {
	data, _ := json.Marshal(result{p.ID, p.Path, settings, "evil", described})
	_, _ = l.js.PublishAsync(l.subjects.result(l.id), data)
}
