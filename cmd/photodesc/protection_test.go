package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"photodesc/internal/ui"
	"photodesc/internal/worker"
	"photodesc/pool"
	"photodesc/tracker"
)

// escape has a worker, with model and libraries loaded, try what a photo must
// not be able to make it do. What came of it is its description.
func escape(j pool.Job) (any, error) {
	var config worker.Config
	if err := json.Unmarshal([]byte(os.Getenv(worker.ConfigEnv)), &config); err != nil {
		return nil, err
	}
	photos := string(config.Root)
	outside := filepath.Dir(photos)
	got := map[string]string{}
	try := func(name string, err error) {
		got[name] = "done"
		if err != nil {
			got[name] = err.Error()
		}
	}
	_, err := os.ReadFile(filepath.Join(photos, "photo-0000.jpg"))
	try("read a photo", err)
	_, err = os.ReadFile(filepath.Join(outside, "secret"))
	try("read outside", err)
	_, err = os.ReadFile(filepath.Join(photos, filepath.Dir(j.Path), "beside.txt"))
	try("read beside", err)
	_, err = os.ReadFile("/etc/passwd")
	try("read passwd", err)
	_, err = os.ReadDir("/proc")
	try("look at processes", err)
	try("write to the photos", os.WriteFile(filepath.Join(photos, "new.jpg"), nil, 0o600))
	try("write over a photo", os.WriteFile(filepath.Join(photos, "photo-0000.jpg"), nil, 0o600))
	try("remove a photo", os.Remove(filepath.Join(photos, "photo-0000.jpg")))
	try("write to the workdir", os.WriteFile(filepath.Join(outside, "work", "new"), nil, 0o600))
	try("write to /tmp", os.WriteFile(filepath.Join(os.TempDir(), "photodesc-escaped"), nil, 0o600))
	_, err = net.Dial("tcp", os.Getenv("ESCAPE_TO"))
	try("connect", err)
	_, err = net.Listen("tcp", "127.0.0.1:0")
	try("listen", err)
	_, err = os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
	try("start a program", err)
	text, err := json.Marshal(got)
	return tracker.Record{Status: tracker.OK, Description: string(text)}, err
}

// TestProtection asks a worker of a real run what it can still do.
func TestProtection(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("workers are confined on Linux only")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("ESCAPE_TO", listener.Addr().String())
	h := newHarness(t)
	h.add(append(numbered("photo", 3), numbered("escape", 1)...)...)
	if err := os.WriteFile(filepath.Join(filepath.Dir(h.photos), "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, said := h.run()
	if code != ui.ExitOK {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	protection := ""
	for line := range strings.Lines(h.log()) {
		if _, text, ok := strings.Cut(line, "Protection: "); ok {
			protection = strings.TrimSpace(text)
		}
	}
	t.Log(protection)
	if strings.Contains(protection, "no Landlock") || strings.HasPrefix(protection, "none") {
		t.Skip("this kernel has no Landlock, and the log says so")
	}
	if !strings.Contains(protection, "no writing") {
		t.Errorf("the log names the protection as %q", protection)
	}
	got := map[string]string{}
	if err := json.Unmarshal([]byte(h.description("escape-0000.jpg")), &got); err != nil {
		t.Fatal(err)
	}
	for name, result := range got {
		if may := name == "read a photo"; may != (result == "done") {
			t.Errorf("%s: %s", name, result)
		} else {
			t.Logf("%s: %s", name, result)
		}
	}
	if len(got) < 12 {
		t.Errorf("%d attempts", len(got))
	}
}

// description is what a photo's result says.
func (h *harness) description(path string) string {
	h.t.Helper()
	files, _ := filepath.Glob(filepath.Join(h.work, tracker.OutputsName, "*.jsonl"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			h.t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			var rec tracker.Record
			if json.Unmarshal([]byte(line), &rec) == nil && rec.Path == path {
				return rec.Description
			}
		}
	}
	return ""
}
