package pool

import (
	"context"
	"testing"
)

// BenchmarkPhoto measures what supervision adds to each photo. With eight in
// flight the two processes work at the same time.
func BenchmarkPhoto(b *testing.B) {
	for _, inFlight := range []int{1, 8} {
		b.Run(map[int]string{1: "alone", 8: "eight"}[inFlight], func(b *testing.B) {
			p := New(Config{Command: fakeCommand(""), MaxInFlight: inFlight})
			first := true
			n := 0
			_, err := p.Run(context.Background(), paths("good", b.N+1), func(Result) error {
				if n++; first {
					first = false
					b.ResetTimer() // the worker is loaded
				}
				return nil
			})
			if err != nil || n != b.N+1 {
				b.Fatal(n, err)
			}
		})
	}
}

// BenchmarkBatch measures what a new process for each photo adds.
func BenchmarkBatch(b *testing.B) {
	p := New(Config{Command: fakeCommand(""), BatchSize: 1})
	if _, err := p.Run(context.Background(), paths("good", b.N), func(Result) error { return nil }); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkProtocol(b *testing.B) {
	line, _ := encodeLine(report{Result: &answer{ID: 12345, Mem: 1 << 30,
		Data: []byte(`{"description":"A dog runs along a beach with a stick in its mouth, the sea behind it.","tokens":64}`)}})
	for b.Loop() {
		if _, err := parseReport(line); err != nil {
			b.Fatal(err)
		}
		if _, err := encodeLine(order{Job: &Job{ID: 12345, Path: "2019/07/holiday/IMG_1234.JPG", Attempt: 1}}); err != nil {
			b.Fatal(err)
		}
	}
}
