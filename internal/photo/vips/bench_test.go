package vips

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// BenchmarkDecode12Megapixels decodes what a phone's camera writes for one
// frame of 512 pixels. Wanted: 40 ms of one core.
func BenchmarkDecode12Megapixels(b *testing.B) {
	path := filepath.Join(b.TempDir(), "phone.jpg")
	size := writeCameraJPEG(b, path, 4000, 3000)
	start := cpuTime(b)
	for b.Loop() {
		img, err := Decode(path, Options{Longest: 512})
		if err != nil {
			b.Fatal(err)
		}
		if max(img.Width, img.Height) < 512 {
			b.Fatal("too small")
		}
	}
	b.ReportMetric((cpuTime(b)-start).Seconds()*1e3/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(size)/1e6, "MB")
}

// cpuTime is what the process has used so far: steadier than the clock on a
// machine that others use too.
func cpuTime(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// writeCameraJPEG writes a JPEG with a camera's mix of smooth ground, edges and
// noise, and returns its size in bytes (3 to 4 MB for 12 megapixels).
func writeCameraJPEG(tb testing.TB, path string, width, height int) int {
	tb.Helper()
	r := rand.New(rand.NewSource(1))
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for y := range height {
		for x := range width {
			v := 110 + 60*math.Sin(float64(x)/90)*math.Cos(float64(y)/130)
			if math.Sin(float64(x*x+y*y)/400000) > 0.6 {
				v += 40 // edges
			}
			img.Y[img.YOffset(x, y)] = uint8(v + r.NormFloat64()*6)
		}
	}
	for i := range img.Cb {
		img.Cb[i] = uint8(128 + 20*math.Sin(float64(i)/5000))
		img.Cr[i] = uint8(128 + 20*math.Cos(float64(i)/7000))
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 88}); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
		tb.Fatal(err)
	}
	return buf.Len()
}
