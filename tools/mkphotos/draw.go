package main

import (
	"image"
	"image/color"
	"math"
)

// The colours of the pictures.
var (
	red    = color.NRGBA{220, 20, 30, 255}
	green  = color.NRGBA{0, 140, 40, 255}
	blue   = color.NRGBA{30, 60, 220, 255}
	yellow = color.NRGBA{255, 225, 20, 255}
	orange = color.NRGBA{255, 140, 0, 255}
	purple = color.NRGBA{128, 0, 128, 255}
	pink   = color.NRGBA{255, 105, 180, 255}
	brown  = color.NRGBA{139, 69, 19, 255}
	black  = color.NRGBA{0, 0, 0, 255}
	white  = color.NRGBA{255, 255, 255, 255}
	grey   = color.NRGBA{128, 128, 128, 255}
	cyan   = color.NRGBA{0, 206, 209, 255}
	clear  = color.NRGBA{}
)

// shape reports whether a point lies in it; the shape fills the circle of
// radius 1 around the origin, y pointing down.
type shape func(x, y float64) bool

func circle(x, y float64) bool { return x*x+y*y <= 1 }

func square(x, y float64) bool { return math.Abs(x) <= 0.85 && math.Abs(y) <= 0.85 }

func ring(x, y float64) bool { r := math.Hypot(x, y); return 0.6 <= r && r <= 1 }

func cross(x, y float64) bool {
	x, y = math.Abs(x), math.Abs(y)
	return max(x, y) <= 1 && min(x, y) <= 0.3
}

func triangle(x, y float64) bool { return polygon(x, y, 3, 0.5) }

// star is five-pointed: the inner corners lie at 0.4 of the radius.
func star(x, y float64) bool {
	const points, inner = 5, 0.4
	sector := math.Pi / points
	a := math.Mod(math.Atan2(x, -y)+2*math.Pi, 2*sector) // from straight up
	if a > sector {
		a = 2*sector - a
	}
	r := math.Hypot(x, y)
	px, py := r*math.Cos(a), r*math.Sin(a)
	// The edge from the point (1, 0) to the inner corner.
	cx, cy := inner*math.Cos(sector), inner*math.Sin(sector)
	return (cx-1)*py-(cy)*(px-1) >= 0 && px <= 1 || r <= 1e-9
}

// polygon is regular with a corner on top; inner is its inner radius.
func polygon(x, y float64, corners int, inner float64) bool {
	sector := 2 * math.Pi / float64(corners)
	a := math.Mod(math.Atan2(x, -y)+2*math.Pi, sector) - sector/2
	return math.Hypot(x, y)*math.Cos(a) <= inner
}

// thing is a shape at a place: centre and radius are fractions of the shorter edge.
type thing struct {
	shape  shape
	colour color.NRGBA
	x, y   float64 // 0 to 1 of width and height
	radius float64
}

// scene draws things on a gradient from one colour at the top to another at the
// bottom. Edges are antialiased with 4 × 4 samples a pixel.
func scene(width, height int, top, bottom color.NRGBA, things ...thing) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		ground := mix(top, bottom, float64(y)/float64(height-1))
		for x := range width {
			c := ground
			for _, t := range things {
				c = over(c, t.colour, t.cover(x, y, width, height))
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// cover returns the fraction of a pixel that the thing covers, 0 to 1.
func (t thing) cover(x, y, width, height int) float64 {
	const side = 4
	r := t.radius * float64(min(width, height))
	cx, cy := t.x*float64(width), t.y*float64(height)
	if math.Abs(float64(x)-cx) > r+1 || math.Abs(float64(y)-cy) > r+1 {
		return 0
	}
	n := 0
	for i := range side * side {
		px := float64(x) + (float64(i%side)+0.5)/side
		py := float64(y) + (float64(i/side)+0.5)/side
		if t.shape((px-cx)/r, (py-cy)/r) {
			n++
		}
	}
	return float64(n) / (side * side)
}

// mix interpolates between a (0) and b (1).
func mix(a, b color.NRGBA, t float64) color.NRGBA {
	m := func(p, q uint8) uint8 { return uint8(math.Round(float64(p) + (float64(q)-float64(p))*t)) }
	return color.NRGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), m(a.A, b.A)}
}

// over blends c with ground. On a transparent ground the colour is that of c.
func over(ground, c color.NRGBA, cover float64) color.NRGBA {
	if ground.A == 0 {
		c.A = uint8(math.Round(255 * cover))
		if cover == 0 {
			return ground
		}
		return c
	}
	return mix(ground, c, cover)
}
