package cluster

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	a := Address{"192.168.1.5:4711", RandomSecret(), Fingerprint([]byte("certificate"))}
	if b, err := ParseAddress(" " + a.String() + "\n"); b != a || err != nil {
		t.Errorf("%v, %v", b, err)
	}
	six := Address{"[fe80::1]:4711", a.Token, a.Fingerprint}
	if b, err := ParseAddress(six.String()); b != six || err != nil {
		t.Errorf("%v, %v", b, err)
	}
	if strings.Contains(a.Shown(), a.Token) {
		t.Error("the token is shown")
	}
	for text, want := range map[string]string{
		"": "begins with",
		"http://" + a.Token + "@h:1#" + a.Fingerprint:   "begins with \"http\"",
		"nats://h:1#" + a.Fingerprint:                   "no token",
		"nats://" + a.Token + "@h#" + a.Fingerprint:     "no host and port",
		"nats://" + a.Token + "@h:1/x#" + a.Fingerprint: "no host and port",
		"nats://" + a.Token + "@h:1":                    "no fingerprint",
		"nats://" + a.Token + "@h:1#short":              "no fingerprint",
		"nats://%zz":                                    "cannot be read",
	} {
		_, err := ParseAddress(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		} else if strings.Contains(err.Error(), a.Token) {
			t.Errorf("%q: the error has the token: %v", text, err)
		}
	}
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	a, err := LoadIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SetPort(4711); err != nil {
		t.Fatal(err)
	}
	b, err := LoadIdentity(dir)
	if err != nil || b.Run != a.Run || b.Token != a.Token || b.Fingerprint() != a.Fingerprint() || b.Port != 4711 {
		t.Errorf("%+v, %v; was %+v", b, err, a)
	}
	info, err := os.Stat(a.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, damage := range []string{"", "{", "{}", `{"token":"x"}`} {
		if err := os.WriteFile(a.path, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadIdentity(dir); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%q: %v", damage, err)
		}
	}
}

func TestSealer(t *testing.T) {
	s := sealer{[]byte("secret"), "settings"}
	path := "a\xff\n.jpg"
	id := s.id(path)
	if !s.valid(id, path) || s.valid(id, "b.jpg") || s.valid("", path) || s.valid(id, "") {
		t.Error("valid")
	}
	if (sealer{[]byte("other"), "settings"}).valid(id, path) || (sealer{[]byte("secret"), "others"}).valid(id, path) {
		t.Error("valid with another secret or other settings")
	}
}

func TestParseResult(t *testing.T) {
	good, err := json.Marshal(result{"id", "a\xff.jpg", "settings", "desk", Answer{1, 0.5, json.RawMessage(`{"description":"x"}`), nil}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := parseResult(good); err != nil || r.Path != "a\xff.jpg" || r.Seconds != 0.5 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, bad := range []string{
		"", "null", "[]", "{}", `{"id":"x","path":"\"a\""}`, `{"id":"x","path":"\"a\"","data":[]}`, `{"id":"x","path":"\"a\"","data":{},"failure":{"kind":"crash","message":""}}`,
		`{"id":"x","path":"\"a\"","failure":{"kind":"","message":""}}`, `{"id":"x","path":"\"a\"","attempts":-1,"data":{}}`,
		`{"id":"x","path":"\"a\"","seconds":1e300,"data":{}}`, `{"id":"x","path":"a","data":{}}`, "{\"id\":\"\xff\",\"path\":\"\\\"a\\\"\",\"data\":{}}",
		`{"id":"x","path":"\"a\"","failure":{"kind":"crash","message":"` + strings.Repeat("x", maxMessage+1) + `"}}`,
		`{"id":"x","path":"\"a\"","data":{"x":"` + strings.Repeat("x", maxResult) + `"}}`,
	} {
		if r, err := parseResult([]byte(bad)); err == nil {
			t.Errorf("%.60q is taken: %+v", bad, r)
		}
	}
}

func TestOneLine(t *testing.T) {
	if got := oneLine("a\x1b[31m\nb\u202e\u009bc\xff", 100); got != "a [31m b  c" {
		t.Errorf("%q", got)
	}
	if got := oneLine("ääää", 3); got != "ä" {
		t.Errorf("%q", got)
	}
}
