package metrics

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	at, stop, err := Serve("127.0.0.1:0", "1.2", func() Figures {
		return Figures{Described: 5, Failed: 1, InFlight: 2, Remaining: -1, Total: 100, Rate: 3600, Nodes: []Node{
			{Name: "de\"sk\n", Up: true, Described: 3, Late: 1}, {Name: "de\"sk\n"}, {Name: "laptop", Paused: true},
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
		"photodesc_photos_per_hour 3600\n", `photodesc_info{version="1.2"} 1`, `photodesc_node_up{node="de\"sk\n"} 1`,
		`photodesc_node_late_total{node="de\"sk\n"} 1`, `photodesc_node_paused{node="laptop"} 1`, `photodesc_node_up{node="laptop"} 0`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(text, "photodesc_remaining_photos") {
		t.Error("what is not known is shown")
	}
	if resp, err := http.Post("http://"+at+"/metrics", "", nil); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%v, %v", resp, err)
	}
	stop()
	if _, err := http.Get("http://" + at + "/metrics"); err == nil {
		t.Error("it answers after the end")
	}
	if _, _, err := Serve("nowhere", "", nil); err == nil {
		t.Error("it listens on nowhere")
	}
}
