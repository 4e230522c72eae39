package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// subjects are the names of one run's subjects and streams.
type subjects struct{ run string }

func (s subjects) prefix() string               { return "photodesc." + s.run + "." }
func (s subjects) job() string                  { return s.prefix() + "job" }
func (s subjects) results() string              { return s.prefix() + "result.*" }
func (s subjects) result(node string) string    { return s.prefix() + "result." + node }
func (s subjects) asks() string                 { return s.prefix() + "ask.*.*" }
func (s subjects) ask(node, what string) string { return s.prefix() + "ask." + node + "." + what }
func (s subjects) all() string                  { return s.prefix() + "all" }
func (s subjects) jobStream() string            { return "PHOTODESC_" + s.run + "_JOBS" }
func (s subjects) resultStream() string         { return "PHOTODESC_" + s.run + "_RESULTS" }

// consumerName is that of the only consumer of each stream.
const consumerName = "all"

// What a node asks of the coordinator.
const (
	askHello  = "hello"
	askBeat   = "beat"
	askPhoto  = "photo"
	askModel  = "model"
	askReturn = "return"
	askHead   = "head"
	askLeave  = "leave"
)

// nodeOf splits the subject of a question or of a result into the node and what is asked.
func (s subjects) nodeOf(subject string) (node, what string) {
	rest, ok := strings.CutPrefix(subject, s.prefix())
	if !ok {
		return "", ""
	}
	parts := strings.Split(rest, ".")
	switch {
	case len(parts) == 2 && parts[0] == "result":
		return parts[1], ""
	case len(parts) == 3 && parts[0] == "ask":
		return parts[1], parts[2]
	}
	return "", ""
}

// NodeID is the name in subjects of the node with this secret. Others cannot take it, because they do not know the secret.
func NodeID(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:8])
}

func inboxPrefix(node string) string { return "_INBOX_" + node }

// sealer makes and checks IDs of jobs.
type sealer struct {
	secret   []byte
	settings string // results with other settings are not accepted
}

// id is a MAC of 144 bits.
func (s sealer) id(path string) string {
	h := hmac.New(sha256.New, s.secret)
	h.Write([]byte(s.settings))
	h.Write([]byte{0})
	h.Write([]byte(path))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}

// valid is whether the coordinator has given out this ID for the path.
func (s sealer) valid(id, path string) bool {
	return path != "" && hmac.Equal([]byte(id), []byte(s.id(path)))
}
