package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// simulatedEnv holds "ADDRESS NODES SLOTS SECONDS" for a process that simulates nodes, so that their CPU time is not the coordinator's.
const simulatedEnv = "TESTS_SIMULATED_NODES"

// TestSimulatedNodes is not a test: it is the process of startNodes.
func TestSimulatedNodes(t *testing.T) {
	args := strings.Fields(os.Getenv(simulatedEnv))
	if len(args) != 4 {
		t.Skip("started by benchmarks only")
	}
	a, err := ParseAddress(args[0])
	if err != nil {
		t.Fatal(err)
	}
	nodes, _ := strconv.Atoi(args[1])
	slots, _ := strconv.Atoi(args[2])
	seconds, _ := strconv.ParseFloat(args[3], 64)
	takes := time.Duration(seconds * float64(time.Second))
	data := []byte(`{"path":"","status":"ok","description":"A dog runs over the beach at sunset, and the sea is calm.","model":"","prompt":"","width":4000,"height":3000,"tiles":5,"prompt_tokens":400,"tokens":20,"seconds":{"decode":0.1,"encode":0.2,"prompt":0.1,"generate":0.4,"total":0.8},"attempts":1,"time":"2026-01-02T03:04:05Z"}`)
	var wait sync.WaitGroup
	for i := range nodes {
		wait.Go(func() {
			over, err := joinRun(t.Context(), a, "", fmt.Sprint("node-", i), slots, func(ctx context.Context, j Job) (Answer, error) {
				if takes > 0 {
					time.Sleep(takes)
				}
				return Answer{Attempts: 1, Seconds: seconds, Data: data}, nil
			})
			if over != OverFinished || err != nil {
				t.Errorf("%q, %v", over, err)
			}
		})
	}
	wait.Wait()
}

func startNodes(b *testing.B, a Address, nodes, slots int, seconds float64) *exec.Cmd {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSimulatedNodes$", "-test.timeout=1h")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d %g", simulatedEnv, a, nodes, slots, seconds))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return cmd
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakMemory is the most that this process has used, in bytes.
func peakMemory() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Maxrss) * 1024
}

// BenchmarkShare hands out b.N photos to four nodes, in another process, that answer at once: what server and coordinator need for each.
//
//	go test ./internal/cluster -run '^$' -bench '^BenchmarkShare$' -benchtime 1000000x
func BenchmarkShare(b *testing.B) {
	if b.N < 1000 {
		return // it means little, and each benchmark begins with 1
	}
	photos, kept := numbered(b.N), 0
	runtime.GC()
	before := cpuTime()
	r := serve(b, testOptions{photos: photos, ackWait: DefaultAckWait, discard: true, keep: func(list []Outcome) error {
		kept += len(list)
		return nil
	}})
	nodes := startNodes(b, r.address(), 4, 128, 0)
	began := time.Now()
	if err := <-r.done; err != nil {
		b.Fatal(err)
	}
	took, cpu := time.Since(began), cpuTime()-before
	if err := nodes.Wait(); err != nil {
		b.Fatal(err)
	}
	if kept != b.N {
		b.Fatalf("%d results of %d photos", kept, b.N)
	}
	b.ReportMetric(cpu.Seconds()*1000/float64(b.N), "cpu-ms/photo")
	b.ReportMetric(float64(b.N)/took.Seconds(), "photos/s")
	b.ReportMetric(peakMemory()/1e6, "peak-MB")
}

// BenchmarkLinear hands out b.N photos of 0.3 s to 64 nodes, in another process, and compares with 64 machines that never wait.
//
//	go test ./internal/cluster -run '^$' -bench '^BenchmarkLinear$' -benchtime 20000x
func BenchmarkLinear(b *testing.B) {
	if b.N < 1000 {
		return // each benchmark begins with 1
	}
	const nodes, seconds = 64, 0.3
	photos, kept := numbered(b.N), 0
	first := make(chan struct{})
	var once sync.Once
	var began time.Time
	r := serve(b, testOptions{photos: photos, ackWait: DefaultAckWait, discard: true, keep: func(list []Outcome) error {
		once.Do(func() { began = time.Now().Add(-time.Duration(seconds * float64(time.Second))); close(first) })
		kept += len(list)
		return nil
	}})
	cmd := startNodes(b, r.address(), nodes, 1, seconds)
	<-first
	if err := <-r.done; err != nil {
		b.Fatal(err)
	}
	r.mu.Lock()
	ended := r.co.overAt
	r.mu.Unlock()
	took := ended.Sub(began)
	_ = cmd.Wait()
	if kept != b.N {
		b.Fatalf("%d results of %d photos", kept, b.N)
	}
	b.ReportMetric(100*float64(b.N)*seconds/nodes/took.Seconds(), "%-of-linear")
	b.ReportMetric(took.Seconds(), "s")
}
