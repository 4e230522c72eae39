package targets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peer is llama.cpp's own programs.
type peer struct {
	server, bench []string // command lines; nil: not there
}

func findPeer(server, bench string) (p peer, err error) {
	for _, c := range []struct {
		name, text string
		to         *[]string
	}{{"PEER", server, &p.server}, {"PEER_BENCH", bench, &p.bench}} {
		words := strings.Fields(c.text)
		if len(words) == 0 {
			continue
		}
		if _, err := exec.LookPath(words[0]); err != nil {
			return p, fmt.Errorf("%s: %w", c.name, err)
		}
		*c.to = words
	}
	return p, nil
}

// root is the folder that a command sees as /: "chroot ROOT PROGRAM".
func root(command []string) string {
	if len(command) >= 3 && filepath.Base(command[0]) == "chroot" {
		return command[1]
	}
	return ""
}

// version is what the peer says of itself, on a line.
func (p peer) version(ctx context.Context) string {
	if p.server == nil {
		return ""
	}
	out, _ := exec.CommandContext(ctx, p.server[0], append(p.server[1:], "--version")...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "version") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// lend makes files visible to a command that may have a root of its own, and
// returns their names there.
func lend(command []string, files ...string) (names []string, done func(), err error) {
	if dir := root(command); dir == "" {
		for _, f := range files {
			abs, err := filepath.Abs(f)
			if err != nil {
				return nil, nil, err
			}
			names = append(names, abs)
		}
		return names, func() {}, nil
	}
	tmp, err := os.MkdirTemp(filepath.Join(root(command), "tmp"), "photodesc-bench-")
	if err != nil {
		return nil, nil, err
	}
	done = func() { os.RemoveAll(tmp) }
	for _, f := range files {
		to := filepath.Join(tmp, filepath.Base(f))
		if err := os.Link(f, to); err != nil { // another file system, perhaps
			if err := copyFile(f, to); err != nil {
				done()
				return nil, nil, err
			}
		}
		names = append(names, filepath.Join("/tmp", filepath.Base(tmp), filepath.Base(f)))
	}
	return names, done, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// running is a server that answers.
type running struct {
	url   string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
	done  func()
}

// start starts a server on the model with so many slots and waits until it is
// ready.
func (p peer) start(l *lab, text, vision string, slots int) (*running, error) {
	names, done, err := lend(p.server, text, vision)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		done()
		return nil, err
	}
	log, err := os.Create(filepath.Join(l.out, fmt.Sprintf("server-np%d.log", slots)))
	if err != nil {
		done()
		return nil, err
	}
	defer log.Close() // the server has a descriptor of its own
	args := append(p.server[1:len(p.server):len(p.server)], "-m", names[0], "--mmproj", names[1], "-np", strconv.Itoa(slots),
		"-t", strconv.Itoa(runtime.NumCPU()), "--cache-ram", "0", "--host", "127.0.0.1", "--port", strconv.Itoa(port))
	fmt.Fprintf(l.say, "%s %s\n", p.server[0], strings.Join(args, " "))
	cmd := exec.Command(p.server[0], args...)
	cmd.Stdout, cmd.Stderr = log, log
	// Its own group: Ctrl-C is for us, who end it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		done()
		return nil, err
	}
	s := &running{url: fmt.Sprintf("http://127.0.0.1:%d", port), cmd: cmd, ended: make(chan struct{}), done: done}
	go func() {
		cmd.Wait()
		close(s.ended)
	}()
	if err := s.await(l.ctx); err != nil {
		s.stop()
		return nil, fmt.Errorf("%w; %s says why", err, log.Name())
	}
	return s, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

const loadTimeout = 5 * time.Minute

// await waits until the server has loaded its model.
func (s *running) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/health", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server was not ready: %w", ctx.Err())
		case <-s.ended:
			return errors.New("the server ended at once")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *running) stop() {
	s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-s.ended
	}
	s.done()
}

// prefill is llama-bench's tokens a second for a prompt of 512.
func (p peer) prefill(l *lab, text string) (float64, error) {
	names, done, err := lend(p.bench, text)
	if err != nil {
		return 0, err
	}
	defer done()
	args := append(p.bench[1:len(p.bench):len(p.bench)], "-m", names[0], "-p", "512", "-n", "0", "-r", "3", "-t", strconv.Itoa(runtime.NumCPU()), "-o", "json")
	fmt.Fprintf(l.say, "%s %s\n", p.bench[0], strings.Join(args, " "))
	cmd := exec.CommandContext(l.ctx, p.bench[0], args...)
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("llama-bench: %w", err)
	}
	return benchRate(out)
}

// benchRate reads llama-bench's JSON.
func benchRate(out []byte) (float64, error) {
	var tests []struct {
		Rate float64 `json:"avg_ts"`
	}
	if err := json.Unmarshal(out, &tests); err != nil {
		return 0, fmt.Errorf("llama-bench's answer cannot be read: %w", err)
	}
	if len(tests) != 1 || tests[0].Rate <= 0 {
		return 0, fmt.Errorf("llama-bench measured %d times instead of once", len(tests))
	}
	return tests[0].Rate, nil
}
