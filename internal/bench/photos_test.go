package bench

import (
	"bytes"
	"image/jpeg"
	"os"
	"testing"
)

func TestPhoto(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {33, 2}, {640, 480}} {
		a, err := Photo(3, size[0], size[1])
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(a))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != size[0] || b.Dy() != size[1] {
			t.Errorf("%v instead of %v", b, size)
		}
		if again, _ := Photo(3, size[0], size[1]); !bytes.Equal(a, again) {
			t.Errorf("%v: the same photo differs", size)
		}
		if size[0] < 100 {
			continue
		}
		if other, _ := Photo(4, size[0], size[1]); bytes.Equal(a, other) {
			t.Errorf("%v: two photos are the same", size)
		}
		// As large as a camera's: 12 megapixels are 2 to 6 MB.
		if bits := 8 * float64(len(a)) / float64(size[0]*size[1]); bits < 1.3 || bits > 4 {
			t.Errorf("%v: %.2f bits a pixel", size, bits)
		}
	}
}

func TestWritePhotos(t *testing.T) {
	dir := t.TempDir()
	paths, err := WritePhotos(dir, 5, 3, 16, 8)
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	got, err := os.ReadFile(paths[2])
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := Photo(7, 16, 8); !bytes.Equal(got, want) {
		t.Error("the third photo from number 5 on is not number 7")
	}
	if _, err := WritePhotos(dir+"/nowhere", 0, 1, 16, 8); err == nil {
		t.Error("no error for a folder that is not there")
	}
}
