package vips

import (
	"bytes"
	"image"
	"image/jpeg"
	"maps"
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"photodesc/internal/photo"
	"photodesc/internal/photo/bmp"
	"photodesc/internal/photo/damage"
	"photodesc/internal/photo/tiff"
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

// BenchmarkDamageChecks measures what looking for lost data takes beside
// decoding: the part is the quotient of the two. What is damaged, or has zeros
// where few photos have any, is decoded once more; that is not measured here.
func BenchmarkDamageChecks(b *testing.B) {
	dir := b.TempDir()
	camera := filepath.Join(dir, "camera.jpg")
	writeCameraJPEG(b, camera, 4000, 3000)
	img, err := Decode(camera, Options{})
	if err != nil {
		b.Fatal(err)
	}
	photos := map[string][]byte{"bmp": bmpOf(b, imageOf(img)), "tiff": stripTIFF(imageOf(img), 64)}
	if photos["jpeg"], err = os.ReadFile(camera); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"photo.webp", "photo.gif", "photo.heic", "photo.avif"} {
		photos[filepath.Ext(name)[1:]] = testdata(b, name)
	}
	for _, name := range slices.Sorted(maps.Keys(photos)) {
		path := write(b, name, photos[name])
		f, err := open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		in := input{f, photos[name]}
		check := func() error { return in.checkDamage(photo.Sniff(f.head), Options{MaxBytes: DefaultMaxBytes}) }
		switch name {
		case "jpeg":
			check = func() error { damage.ScanJPEG(in.data); return nil }
		case "bmp":
			h, err := bmp.Read(in.reader())
			if err != nil {
				b.Fatal(err)
			}
			check = func() error { return checkBitmap(path, in.reader(), h) }
		case "tiff":
			header, err := tiff.Read(in.reader(), in.reader().Size())
			if err != nil {
				b.Fatal(err)
			}
			check = func() error { return in.checkStrips(header.Directories[0]) }
		}
		b.Run(name, func(b *testing.B) {
			var checking, decoding time.Duration
			for b.Loop() {
				start := time.Now()
				if err := check(); err != nil {
					b.Fatal(err)
				}
				checking += time.Since(start)
				start = time.Now()
				if _, err := Decode(path, Options{Longest: 512}); err != nil {
					b.Fatal(err)
				}
				decoding += time.Since(start)
			}
			b.ReportMetric(100*checking.Seconds()/decoding.Seconds(), "%-of-decoding")
			b.ReportMetric(checking.Seconds()*1e3/float64(b.N), "check-ms/op")
		})
	}
}
