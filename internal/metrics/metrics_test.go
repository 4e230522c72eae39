package metrics

import (
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

func TestServe(t *testing.T) {
	at, stop, err := Serve("127.0.0.1:0", "1.2", func() Figures {
		return Figures{Described: 5, Failed: 1, InFlight: 2, Remaining: -1, Total: 100, Rate: 3600, Nodes: []Node{
			{Name: "de\"sk\n", Up: true, Described: 3, Late: 1}, {Name: "de\"sk\n"}, {Name: "laptop", Paused: true, Seen: time.Unix(1700000000, 5e8)},
		}}
	})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + at + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", resp.Status, err, body)
	}
	text := string(body)
	for _, want := range []string{
		"photodesc_described_total 5\n", "photodesc_failed_total 1\n", "photodesc_in_flight_photos 2\n", "photodesc_photos 100\n",
		"photodesc_photos_per_second 1\n", `photodesc_build_info{version="1.2"} 1`, `photodesc_node_up{node="de\"sk\n"} 1`,
		`photodesc_node_late_total{node="de\"sk\n"} 1`, `photodesc_node_paused{node="laptop"} 1`, `photodesc_node_up{node="laptop"} 0`,
		`photodesc_node_last_seen_timestamp_seconds{node="laptop"} 1.7000000005e+09`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(text, "photodesc_remaining_photos") {
		t.Error("what is not known is shown")
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint() // the rules of `promtool check metrics`
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %+v", err, problems)
	}
	if resp, err := http.Post("http://"+at+"/metrics", "", nil); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%v, %v", resp, err)
	}
	stop()
	if _, err := http.Get("http://" + at + "/metrics"); err == nil {
		t.Error("it answers after the end")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for addr, want := range map[string]string{
		"nowhere": "as in 127.0.0.1:9090", "192.0.2.1:0": "this machine does not have that address", l.Addr().String(): "another program listens there",
		"127.0.0.1:99999": "HOST:PORT",
	} {
		if _, _, err := Serve(addr, "", nil); err == nil || !strings.Contains(err.Error(), "--metrics "+strconv.Quote(addr)+" cannot be") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

// The table in docs/cluster.md lists all that is shown, and nothing else.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| `photodesc_") {
			continue
		}
		for _, m := range regexp.MustCompile("`(photodesc_\\w+)`").FindAllStringSubmatch(strings.Split(line, " | ")[0], -1) {
			documented = append(documented, m[1])
		}
	}
	shown := []string{"photodesc_build_info"}
	descs := make(chan *prometheus.Desc, 100)
	collector{}.Describe(descs)
	close(descs)
	for d := range descs {
		shown = append(shown, regexp.MustCompile(`fqName: "(\w+)"`).FindStringSubmatch(d.String())[1])
	}
	slices.Sort(documented)
	slices.Sort(shown)
	if !slices.Equal(documented, shown) {
		t.Errorf("documented are\n%q\nshown are\n%q", documented, shown)
	}
}
