package bucket

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const emptyList = `<?xml version="1.0"?><ListBucketResult><Name>photos</Name><IsTruncated>false</IsTruncated></ListBucketResult>`

// What is set up wrongly is said at once, and the region is taken from the storage's answer.
func TestSetup(t *testing.T) {
	for _, name := range []string{"AWS_CA_BUNDLE", "AWS_REGION", "AWS_DEFAULT_REGION", "SSL_CERT_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "k")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	list := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, emptyList) }
	elsewhere := func(status int, code, region string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/") {
				list(w, r)
				return
			}
			w.Header().Set("Content-Type", "application/xml")
			w.Header().Set("x-amz-bucket-region", region)
			w.WriteHeader(status)
			fmt.Fprintf(w, `<Error><Code>%s</Code><Message>no</Message><Region>%s</Region></Error>`, code, region)
		}
	}
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<html><body>Please log in</body></html>")
	}
	for name, c := range map[string]struct {
		answer      http.HandlerFunc
		tls, bundle bool
		scheme      string
		want        string // part of the error
	}{
		"as it should":            {answer: list},
		"region in a redirect":    {answer: elsewhere(301, "PermanentRedirect", "eu-west-1")},
		"region in an error":      {answer: elsewhere(400, "AuthorizationHeaderMalformed", "eu-west-1")},
		"region wrong for ever":   {answer: elsewhere(400, "AuthorizationHeaderMalformed", "us-west-7"), want: `is not in the region "us-west-7": give the right one with --s3-region`},
		"region not said":         {answer: elsewhere(301, "PermanentRedirect", ""), want: `is not in the region "us-east-1"`},
		"a web page":              {answer: page, want: "it sends a web page"},
		"https of http":           {answer: list, scheme: "https://", want: "give its address as http://127.0.0.1"},
		"certificate unknown":     {answer: list, tls: true, want: "AWS_CA_BUNDLE"},
		"certificate in the file": {answer: list, tls: true, bundle: true},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewUnstartedServer(c.answer)
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			if c.tls {
				server.StartTLS()
			} else {
				server.Start()
			}
			defer server.Close()
			if c.bundle {
				file := filepath.Join(t.TempDir(), "ca.pem")
				text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
				if err := os.WriteFile(file, text, 0o600); err != nil {
					t.Fatal(err)
				}
				t.Setenv("AWS_CA_BUNDLE", file)
			}
			address := server.URL
			if c.scheme != "" {
				address = c.scheme + server.Listener.Addr().String()
			}
			b, err := Open("s3://photos/p", Options{Endpoint: address, Region: "us-east-1", sleep: noSleep})
			if err != nil {
				t.Fatal(err)
			}
			err = b.List(t.Context(), func(int) {})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
