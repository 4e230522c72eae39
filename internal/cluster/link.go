package cluster

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Link is a node's connection to a run.
type Link struct {
	nc       *Conn
	js       jetstream.JetStream
	id       string
	run      string // of a served address
	name     string // of this machine
	settings string // of the run that was joined
	subjects subjects
	back     chan struct{} // told when a lost connection is back
	every    time.Duration // between beats; 0 is beatEvery
}

// RefusedError says why a run does not let this node in. Trying again does not help.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return "the run does not take this node: " + e.Why }

// ErrToken is the reason when a server does not know the token of an address.
var ErrToken = errors.New("the server does not know the token of this address: it is the address of another workdir, or its identity was made anew")

const (
	// askTimeout is how long an answer of the coordinator may take that it gives at once. One that was lost with a connection is
	// not waited for longer.
	askTimeout = 3 * time.Second
	// readTimeout is how long a piece of a file may take, whose disk may be slow.
	readTimeout = 10 * time.Second
)

// Dial connects to a served run and keeps trying to do so again whenever the connection is lost. notify is told when it is lost, with
// why, and when it is back, with nil.
//
// secret is known to this node alone and is what the run knows it by; the same run should get the same from the same node.
func Dial(a Address, secret string, notify func(error)) (*Link, error) {
	l, err := dialWith(secret, notify, func(options ...nats.Option) (*Conn, error) {
		nc, err := nats.Connect("nats://"+a.Host, append(options, nats.Secure(PinnedTLS(a.Fingerprint)), nats.UserInfo(secret, a.Token))...)
		switch {
		case errors.Is(err, nats.ErrAuthorization):
			return nil, ErrToken
		case errors.Is(err, ErrFingerprint):
			return nil, ErrFingerprint
		}
		return &Conn{Conn: nc}, err
	}, nats.CustomInboxPrefix(inboxPrefix(NodeID(secret))))
	if err == nil {
		l.run = RunOf(a.Token)
	}
	return l, err
}

func dialWith(secret string, notify func(error), connect func(...nats.Option) (*Conn, error), further ...nats.Option) (*Link, error) {
	back := make(chan struct{}, 1)
	tell := func(err error) {
		if err == nil {
			select {
			case back <- struct{}{}:
			default:
			}
		}
		notify(err)
	}
	options := append(steady(tell), nats.Name("photodesc node"), nats.ReconnectBufSize(-1))
	nc, err := connect(append(options, further...)...)
	if err != nil {
		return nil, err
	}
	l := &Link{nc: nc, id: NodeID(secret), back: back}
	l.js, err = nc.jetStream()
	return l, err
}

// Close ends the connection.
func (l *Link) Close() { l.nc.Close() }

// Join says hello to a run until it takes this node, refuses it, or ctx ends. run names it where the address does not.
func (l *Link) Join(ctx context.Context, run, name, version string, cores int) (Welcome, error) {
	l.subjects = subjects{cmp.Or(run, l.run)}
	l.name = name
	var w Welcome
	for {
		w = Welcome{}
		err := l.ask(ctx, askHello, hello{protocol, version, name, cores}, &w)
		switch {
		case err == nil && w.Refused != "":
			return w, &RefusedError{w.Refused}
		case err == nil && !w.Ending:
			l.settings = w.Settings
			return w, nil
		case ctx.Err() != nil:
			return w, ctx.Err()
		}
		select {
		case <-ctx.Done():
			return w, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// ask puts a question and decodes the answer.
func (l *Link) ask(ctx context.Context, what string, question, answer any) error {
	data, err := json.Marshal(question)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	m, err := l.nc.RequestWithContext(limited, l.subjects.ask(l.id, what), data)
	if err != nil {
		return err
	}
	return json.Unmarshal(m.Data, answer)
}

// chunk is a piece of a file.
type chunk struct {
	data    []byte
	size    int64
	modTime time.Time
}

// FileError is why the coordinator could not read a photo or a model.
type FileError struct{ Why string }

func (e *FileError) Error() string { return e.Why }

// chunk asks for a piece of a file until it comes, the coordinator says why not, or ctx ends.
func (l *Link) chunk(ctx context.Context, what string, question any) (chunk, error) {
	data, err := json.Marshal(question)
	if err != nil {
		return chunk{}, err
	}
	for {
		limited, cancel := context.WithTimeout(ctx, readTimeout)
		m, err := l.nc.RequestWithContext(limited, l.subjects.ask(l.id, what), data)
		cancel()
		wait := 500 * time.Millisecond
		switch {
		case err == nil && m.Header.Get(headerBusy) == "":
			return parseChunk(m)
		case err == nil:
			wait = 100 * time.Millisecond
		}
		if pause(ctx, wait); ctx.Err() != nil {
			return chunk{}, ctx.Err()
		}
	}
}

func parseChunk(m *nats.Msg) (c chunk, err error) {
	if why := m.Header.Get(headerError); why != "" {
		return c, &FileError{oneLine(why, 300)}
	}
	if c.size, err = strconv.ParseInt(m.Header.Get(headerSize), 10, 64); err != nil || c.size < 0 {
		return c, errors.New("the coordinator sent a chunk without a size")
	}
	if c.modTime, err = time.Parse(time.RFC3339Nano, m.Header.Get(headerMTime)); err != nil {
		return c, errors.New("the coordinator sent a chunk without a time")
	}
	c.data = m.Data
	return c, nil
}

// ReadModel reads a file of the model, 0 or 1, from an offset on and hands pieces to write.
func (l *Link) ReadModel(ctx context.Context, file int, offset, size int64, write func([]byte) error) error {
	return l.read(ctx, askModel, func(at int64) any { return modelRequest{file, at} }, offset, size, time.Time{}, write)
}

// errChanged is the reason when a file is not any more what it was.
var errChanged = errors.New("the file was changed meanwhile")

func (l *Link) read(ctx context.Context, what string, question func(at int64) any, offset, size int64, modTime time.Time, write func([]byte) error) error {
	for at := offset; at < size; {
		c, err := l.chunk(ctx, what, question(at))
		switch {
		case err != nil:
			return err
		case c.size != size || !modTime.IsZero() && !c.modTime.Equal(modTime):
			return errChanged
		case len(c.data) == 0 || at+int64(len(c.data)) > size:
			return errors.New("the coordinator sent a chunk of a wrong size")
		}
		if err := write(c.data); err != nil {
			return err
		}
		at += int64(len(c.data))
	}
	return nil
}

// String names the server, for logs.
func (l *Link) String() string { return fmt.Sprintf("%s, node %s", l.nc.ConnectedUrlRedacted(), l.id) }

// DialOwn connects to a NATS server of one's own. Its error is a *SetupError if trying again does not help; notify is also told of a
// *DeniedError.
func DialOwn(t Target, secret string, notify func(error)) (*Link, error) {
	return dialWith(secret, notify, t.connect)
}

// SecretFor derives from a node's secret one for a single run, so that no run learns what others know the node by.
func SecretFor(secret, run string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(run))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:secretLen])
}

// Leave tells the run that this node ends, and why unless somebody asked for it. That it is not heard is no error: the run notices.
func (l *Link) Leave(why string) {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	var reply beatReply
	_ = l.ask(ctx, askLeave, parting{oneLine(why, 300)}, &reply)
}

// leaveTimeout is how long a node that ends waits for the run to hear of it.
const leaveTimeout = time.Second
