package cluster

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"photodesc/internal/cluster/clustertest"
)

// natsContext writes a context of the nats program.
func natsContext(t *testing.T, name, content string) Target {
	t.Helper()
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "nats/context")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return Target{Context: name}
}

// TestOwnLetsIn: each way in which a server of one's own may know who connects, on both sides of a run; and what is said if it does not.
func TestOwnLetsIn(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	ca, other := clustertest.NewAuthority(t, "ca"), clustertest.NewAuthority(t, "other")
	cert, key := ca.Issue("node", time.Now().AddDate(1, 0, 0))
	foreign, foreignKey := other.Issue("stranger", time.Now().AddDate(1, 0, 0))
	op := clustertest.NewOperator(t)
	runCreds, nodeCreds := op.Creds("run", clustertest.RunPermissions, time.Time{}), op.Creds("node", clustertest.NodePermissions, time.Time{})
	old := op.Creds("old", clustertest.NodePermissions, time.Now().Add(-time.Hour))
	stranger := clustertest.NewOperator(t).Creds("stranger", clustertest.NodePermissions, time.Time{})
	userKey, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := userKey.PublicKey()
	seed, _ := userKey.Seed()
	seedFile := filepath.Join(t.TempDir(), "user.nk")
	if err := os.WriteFile(seedFile, seed, 0o600); err != nil {
		t.Fatal(err)
	}

	plain := startOwn(t, server.Options{})
	token := startOwn(t, server.Options{Authorization: "s3cr3t"})
	nkey := startOwn(t, server.Options{Nkeys: []*server.NkeyUser{{Nkey: public}}})
	jwts := startOwn(t, op.Options)
	secured := startOwn(t, server.Options{TLSConfig: ca.ServerTLS("localhost", time.Now().AddDate(1, 0, 0), false), TLSTimeout: 10})
	mutual := startOwn(t, server.Options{TLSConfig: ca.ServerTLS("localhost", time.Now().AddDate(1, 0, 0), true), TLSVerify: true, TLSTimeout: 10})
	expired := startOwn(t, server.Options{TLSConfig: ca.ServerTLS("localhost", time.Now().Add(-time.Hour), false), TLSTimeout: 10})
	named := startOwn(t, server.Options{TLSConfig: ca.ServerTLS("elsewhere", time.Now().AddDate(1, 0, 0), false), TLSTimeout: 10})
	url := func(s *server.Server) string { return "nats://" + s.Addr().String() }
	withUser := func(s *server.Server) string { return "nats://ada:secret@" + s.Addr().String() }

	for i, c := range []struct{ run, node Target }{
		{natsContext(t, "user", fmt.Sprintf(`{"url":%q,"user":"ada","password":"secret"}`, url(plain))), Target{URL: withUser(plain)}},
		{natsContext(t, "token", fmt.Sprintf(`{"url":%q,"token":"s3cr3t"}`, url(token))), Target{Context: "token"}},
		{Target{URL: url(nkey), Creds: seedFile}, natsContext(t, "nkey", fmt.Sprintf(`{"url":%q,"nkey":%q}`, url(nkey), seedFile))},
		{Target{URL: url(jwts), Creds: runCreds}, Target{URL: url(jwts), Creds: nodeCreds}},
		{natsContext(t, "creds", fmt.Sprintf(`{"url":%q,"creds":%q}`, url(jwts), runCreds)), Target{URL: url(jwts), Creds: nodeCreds}},
		{Target{URL: withUser(secured), CA: ca.File}, natsContext(t, "tls", fmt.Sprintf(`{"url":%q,"ca":%q,"user":"ada","password":"secret"}`, url(secured), ca.File))},
		{Target{URL: url(mutual), CA: ca.File, Cert: cert, Key: key}, natsContext(t, "mutual", fmt.Sprintf(`{"url":%q,"ca":%q,"cert":%q,"key":%q}`, url(mutual), ca.File, cert, key))},
		{natsContext(t, "inbox", fmt.Sprintf(`{"url":%q,"user":"ada","password":"secret","inbox_prefix":"_MINE"}`, url(plain))), Target{Context: "inbox"}},
	} {
		photos := numbered(5)
		kept := map[string]int{}
		run, node := c.run, c.node
		t.Run(fmt.Sprint(i), func(t *testing.T) { kept = shareBetween(t, fmt.Sprint("way-", i), run, node, photos, 1, 1, nil) })
		checkOnce(t, kept, photos)
	}

	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("nothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		target Target
		want   []string
	}{
		"nothing given":       {Target{URL: url(plain)}, []string{"wants to know who connects", "--nats-creds FILE"}},
		"wrong password":      {natsContext(t, "wrong", fmt.Sprintf(`{"url":%q,"user":"ada","password":"x"}`, url(plain))), []string{"does not accept user and password of the context \"wrong\""}},
		"wrong token":         {natsContext(t, "wrong-token", fmt.Sprintf(`{"url":%q,"token":"x"}`, url(token))), []string{"does not accept the credentials of the context"}},
		"context without":     {natsContext(t, "without", fmt.Sprintf(`{"url":%q}`, url(plain))), []string{"the context \"without\" has no user, token, creds or nkey"}},
		"no context":          {Target{Context: "nowhere"}, []string{"the NATS context \"nowhere\" cannot be used", "unknown context", "nats context ls"}},
		"damaged context":     {natsContext(t, "damaged", "{"), []string{"the NATS context \"damaged\" cannot be used"}},
		"context's creds":     {natsContext(t, "creds-away", fmt.Sprintf(`{"url":%q,"creds":"/nowhere/x.creds"}`, url(jwts))), []string{"/nowhere/x.creds", "no such file"}},
		"no creds file":       {Target{URL: url(jwts), Creds: "nowhere"}, []string{"the credentials cannot be read", "no such file"}},
		"no creds in it":      {Target{URL: url(jwts), Creds: empty}, []string{"holds no credentials", "nsc generate creds"}},
		"expired creds":       {Target{URL: url(jwts), Creds: old}, []string{old, "still valid"}},
		"of another operator": {Target{URL: url(jwts), Creds: stranger}, []string{"does not accept the credentials in", stranger}},
		"creds, no JWTs":      {Target{URL: url(plain), Creds: nodeCreds}, []string{"does not accept the credentials in"}},
		"no CA":               {Target{URL: withUser(secured)}, []string{"signed by none that this machine trusts", "--nats-ca FILE"}},
		"wrong CA":            {Target{URL: withUser(secured), CA: other.File}, []string{"not signed with the one in", other.File}},
		"context's CA":        {natsContext(t, "no-ca", fmt.Sprintf(`{"url":%q}`, url(secured))), []string{"set \"ca\" in the context \"no-ca\""}},
		"no CA file":          {Target{URL: withUser(secured), CA: "nowhere.pem"}, []string{"nowhere.pem", "no such file"}},
		"no CA in it":         {Target{URL: withUser(secured), CA: empty}, []string{"root certificate", empty}},
		"another name":        {Target{URL: withUser(named), CA: ca.File}, []string{"is for another name", "127.0.0.1"}},
		"expired certificate": {Target{URL: withUser(expired), CA: ca.File}, []string{"is not valid", "clock of this machine"}},
		"no certificate":      {Target{URL: url(mutual), CA: ca.File}, []string{" a certificate of this machine", "--nats-cert FILE"}},
		"foreign certificate": {Target{URL: url(mutual), CA: ca.File, Cert: foreign, Key: foreignKey}, []string{"not accept this machine's certificate", "is it signed with"}},
		"another's key":       {Target{URL: url(mutual), CA: ca.File, Cert: cert, Key: foreignKey}, []string{"client certificate", "private key does not match"}},
		"TLS where none is":   {Target{URL: withUser(plain), CA: ca.File}, []string{"has no TLS"}},
		"nobody there":        {Target{URL: "nats://127.0.0.1:1"}, []string{"cannot be reached", "nobody answers"}},
	} {
		nc, err := Connect(c.target, func(error) {})
		if err == nil {
			nc.Close()
			t.Errorf("%s: let in", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q", name, err, want)
			}
		}
		var setup *SetupError
		if permanent := errors.As(err, &setup); permanent == (name == "nobody there") && !strings.HasSuffix(name, " certificate") {
			t.Errorf("%s: permanent %v: %v", name, permanent, err)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the password is shown: %v", name, err)
		}
	}
}

// TestOwnDenies: what a server does not allow is said, once.
func TestOwnDenies(t *testing.T) {
	op := clustertest.NewOperator(t)
	s := startOwn(t, op.Options)
	url := "nats://" + s.Addr().String()
	told := make(chan error, 100)
	l, err := DialOwn(Target{URL: url, Creds: op.Creds("bare", jwt.Permissions{Pub: jwt.Permission{Allow: jwt.StringList{"nothing"}}}, time.Time{})}, RandomSecret(), func(err error) { told <- err })
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 3 {
		if err := l.nc.PublishRequest(subjects{"0123456789ab"}.ask(l.id, askHello), l.nc.NewInbox(), nil); err != nil {
			t.Fatal(err)
		}
	}
	_ = l.nc.Flush()
	err = <-told
	var denied *DeniedError
	if !errors.As(err, &denied) || !strings.Contains(err.Error(), `Publish to "photodesc.0123456789ab.ask.`) || !strings.Contains(err.Error(), "docs/cluster.md") {
		t.Error(err)
	}
	select {
	case err := <-told:
		t.Errorf("and: %v", err)
	default:
	}
}
