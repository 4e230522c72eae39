package llamacpp

/*
#cgo darwin LDFLAGS: -framework Accelerate
#include "bridge.h"
#include "best.h"
*/
import "C"

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// Sgemm measures the linked BLAS: it multiplies float32 matrices, m×k by n×k transposed,
// for about the given time and returns the FLOP per second of the median product. It
// is 0 if no BLAS is linked.
func Sgemm(m, n, k, threads int, about time.Duration) float64 {
	C.pd_blas_threads(C.int(threads))
	a, b, c := make([]float32, m*k), make([]float32, n*k), make([]float32, m*n)
	for i := range a {
		a[i] = float32(i%7) - 3
	}
	for i := range b {
		b[i] = float32(i%5) - 2
	}
	product := func() (time.Duration, bool) {
		began := time.Now()
		rc := C.pd_sgemm(C.int(m), C.int(n), C.int(k), (*C.float)(&a[0]), (*C.float)(&b[0]), (*C.float)(&c[0]))
		return time.Since(began), rc == 0
	}
	if _, ok := product(); !ok { // the first starts the BLAS's threads
		return 0
	}
	took := repeat(about, func() time.Duration { d, _ := product(); return d })
	return 2 * float64(m) * float64(n) * float64(k) / took.Seconds()
}

// readBytes is larger than the caches of most machines.
const readBytes = 256 << 20

// ReadMemory measures the memory: it reads 256 MiB on the given number of threads for
// about the given time and returns the bytes per second of the median pass.
func ReadMemory(threads int, about time.Duration) float64 {
	threads = max(threads, 1)
	words := make([]uint64, readBytes/8)
	for i := range words {
		words[i] = uint64(i) // pages are allocated when they are written
	}
	part := len(words) / threads
	sums := make([]C.uint64_t, threads)
	took := repeat(about, func() time.Duration {
		began := time.Now()
		var all sync.WaitGroup
		for t := range threads {
			all.Go(func() {
				sums[t] = C.pd_read_words((*C.uint64_t)(&words[t*part]), C.size_t(part))
			})
		}
		all.Wait()
		return time.Since(began)
	})
	runtime.KeepAlive(words)
	return float64(8*part*threads) / took.Seconds()
}

// repeat calls once at least three times and returns the median.
func repeat(about time.Duration, once func() time.Duration) time.Duration {
	var all []time.Duration
	for began := time.Now(); len(all) < 3 || time.Since(began) < about; {
		all = append(all, once())
	}
	slices.Sort(all)
	return all[len(all)/2]
}
