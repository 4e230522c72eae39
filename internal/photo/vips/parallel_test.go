package vips

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"photodesc/internal/photo"
)

// Photos decoded side by side get their own pixels, and failures their own words.
func TestParallel(t *testing.T) {
	good := write(t, "good.jpg", jpegOf(t, colourful(300, 200)))
	want := decode(t, good, Options{}).Pix
	cut := jpegOf(t, colourful(300, 200))
	badJPEG := write(t, "bad.jpg", cut[:len(cut)/2])
	whole := pngOf(t, colourful(300, 200))
	badPNG := write(t, "bad.png", whole[:len(whole)/2])
	_, jpegErr := Decode(badJPEG, Options{})
	_, pngErr := Decode(badPNG, Options{})
	if jpegErr == nil || pngErr == nil || strings.Contains(jpegErr.Error(), noReason) {
		t.Fatal(jpegErr, pngErr)
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 30 {
				if img, err := Decode(good, Options{}); err != nil || !bytes.Equal(img.Pix, want) {
					t.Error("other pixels, or", err)
				}
				if _, err := Decode(badJPEG, Options{}); err == nil || err.Error() != jpegErr.Error() {
					t.Errorf("got %v, want %v", err, jpegErr)
				}
				if _, err := Decode(badPNG, Options{}); err == nil || err.Error() != pngErr.Error() {
					t.Errorf("got %v, want %v", err, pngErr)
				}
			}
		})
	}
	wg.Wait()
}

// After hundreds of photos, good and bad, nothing is left over: no memory of
// libvips', no descriptor, and the process has not grown.
func TestLeaks(t *testing.T) {
	var paths []string
	for _, n := range []string{"yellow-circle-orientation-6.jpg", "blue-ring-alpha.png", "yellow-star-on-blue.webp",
		"green-triangle.tiff", "purple-cross.avif", "orange-square.heic", "red-star-cmyk.jpg",
		"brown-square-animated.gif", "black-triangle.bmp"} {
		data := read(t, n)
		paths = append(paths, write(t, n, data), write(t, "cut-"+n, data[:len(data)/2]))
	}
	paths = append(paths, write(t, "p3.png", withProfile(pngOf(t, colourful(200, 200)), profile(p3Primaries))))
	round := func(times int) {
		for i := range times {
			_, err := Decode(paths[i%len(paths)], Options{Longest: 100 + i%3*200})
			if k := photo.KindOf(err); err != nil && k != photo.Unreadable {
				t.Fatal(err)
			}
		}
	}
	round(100) // libraries make themselves at home
	bytes, allocs := Memory()
	files, before := descriptors(t), anonymous(t)
	round(500)
	// A thread of libvips' own may still be putting away the last photo's buffers.
	b, a := Memory()
	for range 50 {
		if b <= bytes && a <= allocs {
			break
		}
		time.Sleep(100 * time.Millisecond)
		b, a = Memory()
	}
	if b > bytes || a > allocs {
		t.Errorf("libvips holds %d bytes in %d pieces, before %d in %d", b, a, bytes, allocs)
	}
	if f := descriptors(t); f > files {
		t.Errorf("%d descriptors, before %d", f, files)
	}
	// A leak of one result a photo would be 60 MB here.
	const most = 15 << 20
	if grown := anonymous(t) - before; grown > most {
		t.Errorf("anonymous memory has grown by %d KiB", grown>>10)
	}
}

func descriptors(tb testing.TB) int {
	tb.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		tb.Skip("no /proc here")
	}
	return len(list)
}

// anonymous is the process's own memory, in bytes.
func anonymous(tb testing.TB) int64 {
	tb.Helper()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Skip("no /proc here")
	}
	_, rest, _ := strings.Cut(string(data), "RssAnon:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return kb << 10
}
