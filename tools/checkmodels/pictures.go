package main

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// picture is a drawn picture and the words that a description of it should have. Words with | between them are alternatives.
type picture struct {
	name  string
	words []string
	draw  func(*canvas)
}

const side = 512 // pixels

// largePicture is as large as photos are, so that the memory that they take is measured. It is the last by its name.
const largePicture = "tree"

// pictures are simple, because the smallest model has to know them, and each has a colour, a form or a text that it cannot guess.
var pictures = []picture{
	{"red-circle", []string{"red", "circle|ball|dot|round|disc|sphere"}, func(c *canvas) { c.disc(256, 256, 150, red) }},
	{"blue-square", []string{"blue", "square|box|rectangle"}, func(c *canvas) { c.box(120, 120, 392, 392, blue) }},
	{"green-triangle", []string{"green", "triangle|pyramid|cone|arrow"}, func(c *canvas) { c.triangle(256, 90, 300, 320, green) }},
	{"sun-over-sea", []string{"sun|sunset|sunrise|yellow|orange", "sea|ocean|water|blue|horizon"}, func(c *canvas) {
		c.box(0, 0, side, 300, color.RGBA{255, 200, 120, 255})
		c.disc(256, 290, 80, yellow)
		c.box(0, 300, side, side, color.RGBA{20, 70, 150, 255})
	}},
	{"night", []string{"moon|night|crescent|dark|black", "star|stars|sky|dots|white"}, func(c *canvas) {
		c.fill(color.RGBA{8, 10, 40, 255})
		c.disc(330, 160, 70, color.RGBA{250, 245, 210, 255})
		c.disc(300, 145, 62, color.RGBA{8, 10, 40, 255})
		for i := range 40 {
			c.disc(i*197%side, i*131%side, 3, white)
		}
	}},
	{"house", []string{"house|home|building|cabin|barn", "door|window|roof|red"}, func(c *canvas) {
		c.sky()
		c.box(130, 240, 380, 430, color.RGBA{240, 225, 190, 255})
		c.triangle(255, 120, 320, 120, red)
		c.box(225, 330, 285, 430, color.RGBA{100, 60, 30, 255})
		c.box(155, 280, 205, 330, color.RGBA{120, 190, 240, 255})
		c.box(305, 280, 355, 330, color.RGBA{120, 190, 240, 255})
	}},
	{"tree", []string{"tree|bush|plant", "green", "brown|trunk|grass|field"}, func(c *canvas) {
		c.sky()
		c.box(236, 280, 276, 440, color.RGBA{110, 70, 35, 255})
		c.disc(256, 210, 110, color.RGBA{30, 130, 40, 255})
	}},
	{"chess", []string{"black", "white", "chess|checker|checkered|checkerboard|squares|grid|pattern"}, func(c *canvas) {
		for i := range 64 {
			if x, y := i%8, i/8; (x+y)%2 == 0 {
				c.box(x*64, y*64, x*64+64, y*64+64, black)
			}
		}
	}},
	{"traffic-light", []string{"traffic|signal|light|lights", "red", "green", "yellow|amber|orange"}, func(c *canvas) {
		c.fill(color.RGBA{170, 200, 230, 255})
		c.box(186, 60, 326, 450, color.RGBA{40, 40, 40, 255})
		c.disc(256, 130, 52, red)
		c.disc(256, 255, 52, yellow)
		c.disc(256, 380, 52, color.RGBA{30, 190, 60, 255})
	}},
	{"snowman", []string{"snowman|snow|winter", "white"}, func(c *canvas) {
		c.fill(color.RGBA{130, 180, 230, 255})
		c.box(0, 420, side, side, white)
		c.disc(256, 370, 100, white)
		c.disc(256, 220, 72, white)
		c.disc(256, 110, 50, white)
		c.disc(238, 100, 6, black)
		c.disc(274, 100, 6, black)
		c.box(254, 112, 300, 122, color.RGBA{240, 120, 20, 255})
	}},
	{"text", []string{"exit"}, func(c *canvas) { c.fill(color.RGBA{0, 110, 60, 255}); c.text("EXIT", 14, white) }},
	{"flag", []string{"flag|stripes", "blue", "white", "red"}, func(c *canvas) {
		c.box(0, 0, 171, side, color.RGBA{0, 40, 150, 255})
		c.box(341, 0, side, side, color.RGBA{220, 30, 45, 255})
	}},
}

var (
	red, green = color.RGBA{220, 30, 30, 255}, color.RGBA{30, 160, 60, 255}
	blue       = color.RGBA{30, 60, 210, 255}
	yellow     = color.RGBA{250, 215, 40, 255}
	white      = color.RGBA{255, 255, 255, 255}
	black      = color.RGBA{0, 0, 0, 255}
)

type canvas struct{ *image.RGBA }

func (c *canvas) fill(col color.Color) { c.box(0, 0, side, side, col) }

func (c *canvas) sky() {
	c.fill(color.RGBA{150, 205, 245, 255})
	c.box(0, 410, side, side, color.RGBA{90, 170, 70, 255})
}

func (c *canvas) box(x0, y0, x1, y1 int, col color.Color) {
	draw.Draw(c, image.Rect(x0, y0, x1, y1), image.NewUniform(col), image.Point{}, draw.Src)
}

func (c *canvas) disc(x, y, r int, col color.Color) {
	for dy := -r; dy <= r; dy++ {
		for dx := -r; dx <= r; dx++ {
			if dx*dx+dy*dy <= r*r {
				c.Set(x+dx, y+dy, col)
			}
		}
	}
}

// triangle has its top at x, y, and stands on its side.
func (c *canvas) triangle(x, y, width, height int, col color.Color) {
	for dy := range height {
		half := width * dy / height / 2
		c.box(x-half, y+dy, x+half, y+dy+1, col)
	}
}

// text writes large letters in the middle.
func (c *canvas) text(s string, scale int, col color.Color) {
	face := basicfont.Face7x13
	small := image.NewRGBA(image.Rect(0, 0, face.Advance*len(s), face.Height))
	d := font.Drawer{Dst: small, Src: image.NewUniform(col), Face: face, Dot: fixed.P(0, face.Ascent)}
	d.DrawString(s)
	b := small.Bounds()
	x0, y0 := (side-b.Dx()*scale)/2, (side-b.Dy()*scale)/2
	for y := range b.Dy() {
		for x := range b.Dx() {
			if _, _, _, a := small.At(x, y).RGBA(); a > 0 {
				c.box(x0+x*scale, y0+y*scale, x0+(x+1)*scale, y0+(y+1)*scale, col)
			}
		}
	}
}

// drawAll writes the pictures to dir and returns the expected words by file name.
func drawAll(dir string) (map[string][]string, error) {
	expected := map[string][]string{}
	for _, p := range pictures {
		c := &canvas{image.NewRGBA(image.Rect(0, 0, side, side))}
		c.fill(white)
		p.draw(c)
		name := p.name + ".jpg"
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		var of image.Image = c
		if p.name == largePicture {
			of = enlarged(c.RGBA, 4)
		}
		err = jpeg.Encode(f, of, &jpeg.Options{Quality: 92})
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return nil, err
		}
		expected[name] = p.words
	}
	return expected, nil
}

// enlarged is a picture with n×n pixels for each.
func enlarged(of *image.RGBA, n int) image.Image {
	b := of.Bounds()
	large := image.NewRGBA(image.Rect(0, 0, n*b.Dx(), n*b.Dy()))
	for y := range large.Rect.Dy() {
		for x := range large.Rect.Dx() {
			large.SetRGBA(x, y, of.RGBAAt(x/n, y/n))
		}
	}
	return large
}

// wordsName is the file in a folder of one's own photos that says what is expected: "beach.jpg: dog, sea|water".
const wordsName = "words.txt"

func readWords(dir string) (map[string][]string, error) {
	f, err := os.Open(filepath.Join(dir, wordsName))
	if err != nil {
		return nil, fmt.Errorf("%w\n  it says what is expected, a photo a line: beach.jpg: dog, sea|water", err)
	}
	defer f.Close()
	expected := map[string][]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, list, ok := strings.Cut(line, ": ")
		if !ok {
			return nil, fmt.Errorf("%s, line %d: no \": \" between photo and words", f.Name(), n)
		}
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", f.Name(), n, err)
		}
		name = filepath.ToSlash(filepath.Clean(name)) // as a run writes it
		if expected[name] == nil {
			expected[name] = []string{} // that it is described at all
		}
		for _, w := range strings.Split(list, ",") {
			if w = strings.TrimSpace(w); w != "" {
				expected[name] = append(expected[name], w)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	if len(expected) == 0 {
		return nil, fmt.Errorf("%s names no photo\n  it says what is expected, a photo a line: beach.jpg: dog, sea|water", f.Name())
	}
	return expected, nil
}
