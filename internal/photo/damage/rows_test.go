package damage

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand"
	"testing"
)

const rowsWidth, rowsHeight = 400, 300

// paint makes the bytes of a picture, row by row with padding.
func paint(pixel, pad int, at func(x, y int) int) ([]byte, Rows) {
	stride := rowsWidth*pixel + pad
	data := make([]byte, 1000+stride*rowsHeight)
	for i := range 1000 {
		data[i] = 1 // a header
	}
	for y := range rowsHeight {
		for x := range rowsWidth {
			for i := range pixel {
				data[1000+y*stride+x*pixel+i] = byte(max(0, min(255, at(x, y))))
			}
		}
	}
	return data, Rows{1000, int64(rowsWidth * pixel), int64(stride), rowsHeight, int64(pixel), true}
}

func lost(data []byte, w Rows) bool { return w.Check(bytes.NewReader(data)) != nil }

func noise(x, y int) int {
	hash := uint32(x+y*rowsWidth) * 2654435761
	return 128 + 60*x/rowsWidth - 40*y/rowsHeight + int(hash>>16)%40
}

// TestBlackPictures checks that intact pictures with large black areas pass.
func TestBlackPictures(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	lights := image.NewGray(image.Rect(0, 0, rowsWidth, rowsHeight))
	for range 60 {
		x, y := r.Intn(rowsWidth), r.Intn(rowsHeight)
		for i := range 100 {
			lights.SetGray(x+i%10, y+i/10, color.Gray{240})
		}
	}
	inside := func(x, y, cx, cy, radius int) bool { return math.Hypot(float64(x-cx), float64(y-cy)) < float64(radius) }
	pick := func(yes bool, a int) int {
		if yes {
			return a
		}
		return 0
	}
	kinds := map[string]func(x, y int) int{
		"black":              func(x, y int) int { return 0 },
		"white":              func(x, y int) int { return 255 },
		"noise":              noise,
		"black below":        func(x, y int) int { return pick(y < 170, noise(x, y)) },
		"black above":        func(x, y int) int { return pick(y > 110, noise(x, y)) },
		"bars":               func(x, y int) int { return pick(y > 40 && y < 260, noise(x, y)) },
		"black right":        func(x, y int) int { return pick(x < 190, noise(x, y)) },
		"black left":         func(x, y int) int { return pick(x > 190, noise(x, y)) },
		"frame":              func(x, y int) int { return pick(x > 30 && x < 370 && y > 30 && y < 270, noise(x, y)) },
		"lights":             func(x, y int) int { return int(lights.GrayAt(x, y).Y) },
		"white disc":         func(x, y int) int { return pick(inside(x, y, 200, 150, 100), 255) },
		"black disc":         func(x, y int) int { return pick(!inside(x, y, 200, 150, 100), 255) },
		"huge black disc":    func(x, y int) int { return pick(!inside(x, y, 200, 150, 240), 255) },
		"disc at the edge":   func(x, y int) int { return pick(inside(x, y, 200, 300, 190), noise(x, y)) },
		"checkerboard":       func(x, y int) int { return pick((x/50+y/50)%2 == 0, 255) },
		"stairs":             func(x, y int) int { return pick(y/20 < x/30, 255) },
		"slope":              func(x, y int) int { return pick(float64(y) < 100+float64(x)*0.3, noise(x, y)) },
		"gentle slope":       func(x, y int) int { return pick(float64(y) < 100+float64(x)*0.01, noise(x, y)) },
		"gentle slope, down": func(x, y int) int { return pick(float64(y) < 104-float64(x)*0.01, noise(x, y)) },
		"steep slope":        func(x, y int) int { return pick(float64(y) < 100+float64(x)*3, noise(x, y)) },
		"fades":              func(x, y int) int { return 200 - y },
		"fades along":        func(x, y int) int { return 200 - (x+y*rowsWidth)/300 },
		"fades diagonally":   func(x, y int) int { return 255 - x/2 - y },
		"lines":              func(x, y int) int { return pick(y%7 != 0, 255) },
		"cut corners":        func(x, y int) int { return pick(y < 100 || y == 100 && x > 4 && x < 395, 255) },
		"round corners":      func(x, y int) int { return pick(y < 150 && x+y < 530 && y-x < 130, noise(x, y)) },
		"a rising corner":    func(x, y int) int { return pick(y < 100 || y < 160 && x < 200, noise(x, y)) },
		"a black rectangle":  func(x, y int) int { return pick(x < 100 || x > 300 || y < 100 || y > 200, noise(x, y)) },
		"dots":               func(x, y int) int { return pick(x%20 == 0 && y%20 == 0, 255) },
		"night sky":          func(x, y int) int { return pick(noise(x, y)%97 == 0, 200) },
		"shadows":            func(x, y int) int { return pick(y < 150, noise(x, y)/20) },
	}
	for name, at := range kinds {
		for _, pixel := range []int{1, 3, 4, 6} {
			data, w := paint(pixel, 2*(pixel%2), at)
			if lost(data, w) {
				t.Errorf("%s of %d bytes a pixel is called damaged", name, pixel)
			}
			w.Brightness = false
			if lost(data, w) && name != "shadows" && name != "fades along" {
				t.Errorf("%s of %d bytes a pixel is called damaged as a palette's", name, pixel)
			}
		}
	}
}

// TestLostRows checks that zeros which begin or end in the middle of a row are found.
func TestLostRows(t *testing.T) {
	for name, at := range map[string]func(x, y int) int{
		"noise": noise, "white": func(x, y int) int { return 255 },
		"black above":  func(x, y int) int { return noise(x, y) * min(1, y/60) },
		"a black line": func(x, y int) int { return noise(x, y) * min(1, (x+390)%400/5) },
	} {
		for _, pixel := range []int{1, 3, 4} {
			for _, row := range []int{100, 200, 290} {
				for _, x := range []int{3, 60, 200, 380, 396} {
					data, w := paint(pixel, 1, at)
					place := int(w.At) + row*int(w.Stride) + x*pixel + pixel/2
					what := fmt.Sprintf("%s of %d bytes a pixel at %d, %d", name, pixel, x, row)
					tail := bytes.Clone(data)
					clear(tail[place:])
					if !lost(tail, w) {
						t.Errorf("%s: zeros behind are not found", what)
					}
					hole := bytes.Clone(data)
					next := place + 3*int(w.Stride) - 10*pixel
					clear(hole[place:next])
					if !lost(hole, w) {
						t.Errorf("%s: a hole is not found", what)
					}
					clear(data[1000:place])
					if !lost(data, w) {
						t.Errorf("%s: zeros before are not found", what)
					}
				}
			}
		}
	}
}
