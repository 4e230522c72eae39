package targets

import (
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// events is a program whose odd runs describe two photos in two seconds, and
// whose even ones take four.
const events = `n=$(($(cat "$0.n" 2>/dev/null || echo 0)+1)); echo $n >"$0.n"
echo '{"event":"worker","action":"ready","time":"2026-01-01T00:00:00Z"}'
echo '{"event":"worker","action":"ready","time":"2026-01-01T00:00:01Z"}'
echo '{"event":"photo","status":"ok","time":"2026-01-01T00:00:01Z"}'
echo '{"event":"photo","status":"ok","time":"2026-01-01T00:00:0'$((4-n%2*2))'Z"}'
`

func TestBusyRows(t *testing.T) {
	for name, want := range map[string]figure{
		"busy":  {"50%", true, "1800 of 3600, 1800 of 3600 photos an hour"},
		"niced": {"50%", false, "1800 of 3600, 1800 of 3600 photos an hour"},
	} {
		l := newLab(t, events)
		l.rounds = 2
		chosen, err := choose([]string{name})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := l.measure(chosen[0]); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
	}
	l := newLab(t, strings.ReplaceAll(events, "n=$((", "exit 1; n=$(("))
	var out bytes.Buffer
	chosen, _ := choose([]string{"pair"})
	if err := l.table(&out, chosen); err == nil || !strings.Contains(out.String(), "failed: photodesc run: exit status 1") {
		t.Errorf("%v\n%s", err, &out)
	}
}

// Two runs at once describe both folders between the first hello and the last photo.
func TestPair(t *testing.T) {
	l := newLab(t, strings.ReplaceAll(events, `$(($(cat "$0.n" 2>/dev/null || echo 0)+1))`, "1"))
	if f, err := l.pair(); err != nil || f.text != "200%" || !f.ok {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestReadEvents(t *testing.T) {
	for _, bad := range []string{"", "photodesc\n", `{"event":"photo","status":"failed","time":"2026-01-01T00:00:00Z"}`,
		`{"event":"worker","action":"ready","time":"2026-01-01T00:00:00Z"}`} {
		if m, err := readEvents([]byte(bad)); err == nil {
			t.Errorf("%q is taken for %+v", bad, m)
		}
	}
}

// The loops of occupy end with their stop.
func TestOccupy(t *testing.T) {
	before := len(children(t))
	stop, err := occupy(2, 19)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(children(t)) - before; n != 2 {
		t.Errorf("%d loops", n)
	}
	stop()
	if n := len(children(t)) - before; n != 0 {
		t.Errorf("%d loops are left", n)
	}
}

// children are the processes that this one has started.
func children(t *testing.T) []string {
	out, err := exec.Command("ps", "-o", "pid=,stat=,args=", "--ppid", strconv.Itoa(os.Getpid())).Output()
	if err != nil {
		t.Skip("no ps that lists children: ", err)
	}
	return slices.DeleteFunc(strings.Split(strings.TrimSpace(string(out)), "\n"), func(line string) bool {
		return line == "" || strings.Contains(line, "ps -o")
	})
}
