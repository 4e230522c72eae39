// Package browsetest draws photos for the tests and pictures of the page, and writes the workdir
// of a run that has described them.
package browsetest

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// Scene is a landscape and what can be said of it.
type Scene struct {
	Name        string // file name without its ending
	Description string
	Keywords    []string
	Wide, High  int // pixels

	seed uint64
	kind kind
}

// kind is how a landscape looks.
type kind struct {
	name               string
	top, low           color.RGBA // of the sky
	far, near          color.RGBA // of the hills
	sun                color.RGBA
	water, stars, snow bool
	trees              bool
	rough              float64 // of the hills
	text               string
	words              []string
}

var kinds = []kind{
	{name: "sunset-over-the-bay", top: rgb(0x2b3a67), low: rgb(0xf6a15b), far: rgb(0x6a4c74), near: rgb(0x231f35), sun: rgb(0xffe3a8), water: true, rough: .7,
		text: "The sun sets over a calm bay. Its light lies on the water as a golden path, and dark hills stand along the shore.", words: []string{"sunset", "sea", "hills", "evening", "golden light"}},
	{name: "morning-in-the-mountains", top: rgb(0x5b8fc7), low: rgb(0xe9eef2), far: rgb(0x93a9c1), near: rgb(0x2f4a52), sun: rgb(0xfff6dc), snow: true, rough: 1.5,
		text: "Snow-covered peaks rise behind dark slopes on a clear morning. A pale sun stands above the ridge.", words: []string{"mountains", "snow", "morning", "peaks"}},
	{name: "green-valley", top: rgb(0x4c9be0), low: rgb(0xd8ecf7), far: rgb(0x86b38a), near: rgb(0x3c7a3e), sun: rgb(0xfffbe8), trees: true, rough: .6,
		text: "Rolling green hills under a bright blue sky, with a row of dark firs in front. It looks like early summer.", words: []string{"valley", "hills", "trees", "summer", "blue sky"}},
	{name: "night-at-the-lake", top: rgb(0x0a1026), low: rgb(0x24355e), far: rgb(0x16203d), near: rgb(0x070b18), sun: rgb(0xf2f0dd), water: true, stars: true, rough: 1,
		text: "A full moon above a dark lake. Stars fill the sky, and the mountains on the far shore are only outlines.", words: []string{"night", "moon", "stars", "lake"}},
	{name: "forest-in-the-fog", top: rgb(0xb9c4c4), low: rgb(0xe4e8e4), far: rgb(0x9fb0ac), near: rgb(0x3d544f), sun: rgb(0xeef0ec), trees: true, rough: .8,
		text: "Fog lies between the rows of a fir forest. The trees in front are dark, those behind fade into grey.", words: []string{"forest", "fog", "trees", "autumn"}},
	{name: "desert-dunes", top: rgb(0x3f7fb5), low: rgb(0xf7dfb2), far: rgb(0xe0a867), near: rgb(0x9c5a2b), sun: rgb(0xfff3d0), rough: .35,
		text: "Sand dunes in warm afternoon light, one behind the other up to the horizon. There are no people and no plants.", words: []string{"desert", "dunes", "sand", "afternoon"}},
	{name: "pink-evening", top: rgb(0x54457f), low: rgb(0xf7b9b0), far: rgb(0xa97a9b), near: rgb(0x3b2a4d), sun: rgb(0xffd9c9), water: true, trees: true, rough: .9,
		text: "A pink evening sky is mirrored in still water. Firs stand on the near bank in front of purple mountains.", words: []string{"evening", "lake", "reflection", "trees", "mountains"}},
	{name: "winter-hills", top: rgb(0x8fb6d8), low: rgb(0xf3f6f8), far: rgb(0xc9d7e2), near: rgb(0xe9eff3), sun: rgb(0xffffff), snow: true, trees: true, rough: .7,
		text: "Snow covers the hills and a few firs on a bright winter day. The sky is pale and without clouds.", words: []string{"winter", "snow", "hills", "trees"}},
}

func rgb(n uint32) color.RGBA {
	return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255}
}

// Scenes returns n landscapes, always the same ones, some 900 pixels wide at scale 1.
func Scenes(n int, scale float64) []Scene {
	shapes := [][2]int{{900, 600}, {900, 600}, {800, 600}, {600, 900}, {900, 506}, {700, 700}, {1200, 500}}
	all := make([]Scene, n)
	for i := range all {
		k := kinds[(i*5+i/len(kinds))%len(kinds)]
		s := shapes[(i*3+i/5)%len(shapes)]
		all[i] = Scene{Name: k.name, Description: k.text, Keywords: k.words, Wide: int(float64(s[0]) * scale), High: int(float64(s[1]) * scale), seed: uint64(i + 1), kind: k}
	}
	return all
}

// Draw draws the landscape.
func (s Scene) Draw() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, s.Wide, s.High))
	r := rand.New(rand.NewPCG(s.seed, 7))
	w, h := float64(s.Wide), float64(s.High)
	shore := h
	if s.kind.water {
		shore = h * (.62 + .1*r.Float64())
	}
	sunX, sunY, sunR := w*(.2+.6*r.Float64()), shore*(.22+.3*r.Float64()), math.Min(w, h)*(.05+.025*r.Float64())
	s.sky(img, r, shore, sunX, sunY, sunR)
	const layers = 4
	for l := range layers {
		s.hills(img, r, shore, float64(l)/(layers-1))
	}
	if s.kind.water {
		s.mirror(img, r, int(shore), sunX, sunR)
	}
	if s.kind.trees {
		s.firs(img, r)
	}
	return img
}

func (s Scene) sky(img *image.RGBA, r *rand.Rand, shore, sunX, sunY, sunR float64) {
	for y := range s.High {
		base := blend(s.kind.top, s.kind.low, math.Min(1, float64(y)/shore))
		for x := range s.Wide {
			d := math.Hypot(float64(x)-sunX, float64(y)-sunY)
			c := blend(base, s.kind.sun, .55*math.Exp(-d/(sunR*3.5)))
			c = blend(c, s.kind.sun, clamp(sunR-d+.5))
			img.SetRGBA(x, y, c)
		}
	}
	if s.kind.stars {
		for range s.Wide * s.High / 2500 {
			x, y := r.IntN(s.Wide), r.IntN(int(shore*.8))
			img.SetRGBA(x, y, blend(img.RGBAAt(x, y), color.RGBA{255, 255, 255, 255}, .3+.7*r.Float64()))
		}
	}
}

// hills draws one row of hills; depth 0 is the farthest.
func (s Scene) hills(img *image.RGBA, r *rand.Rand, shore, depth float64) {
	w, h := float64(s.Wide), float64(s.High)
	base := shore * (.58 + .36*depth)
	var waves [6][3]float64
	for i := range waves {
		waves[i] = [3]float64{(.6 + r.Float64()) * math.Pow(1.9, float64(i)) * 2 * math.Pi / w, r.Float64() * 7, h * .09 * s.kind.rough * math.Pow(.56, float64(i)) * (1.1 - .5*depth)}
	}
	c := blend(s.kind.far, s.kind.near, depth)
	for x := range s.Wide {
		y := base
		for _, v := range waves {
			y += math.Sin(float64(x)*v[0]+v[1]) * v[2]
		}
		for yy := max(0, int(y)); yy < min(s.High, int(shore)); yy++ {
			t := (float64(yy) - y) / (h * .5)
			shade := blend(c, s.kind.low, .16*(1-depth)+.25*clamp(t)*(1-depth))
			if snow := h * .055 * s.kind.rough * (.7 + .3*math.Sin(float64(x)*.13+float64(yy)*.05)); s.kind.snow && depth < .6 && float64(yy)-y < snow {
				shade = blend(shade, color.RGBA{250, 252, 255, 255}, .85)
			}
			a := clamp(float64(yy) - y + 1)
			img.SetRGBA(x, yy, blend(img.RGBAAt(x, yy), shade, a))
		}
	}
}

// mirror draws water that shows what is above it.
func (s Scene) mirror(img *image.RGBA, r *rand.Rand, shore int, sunX, sunR float64) {
	phase := r.Float64() * 6
	for y := shore; y < s.High; y++ {
		deep := float64(y-shore) / float64(s.High-shore)
		for x := range s.Wide {
			shift := math.Sin(float64(y)*.9/(1+2*deep)+phase) * (1 + 5*deep)
			from := shore - 1 - int(float64(y-shore)*.9)
			c := img.RGBAAt(min(s.Wide-1, max(0, x+int(shift))), max(0, from))
			c = blend(c, s.kind.near, .25+.25*deep)
			if path := math.Abs(float64(x)-sunX+shift*3) / (sunR * (1 + 2*deep)); path < 1 && math.Sin(float64(y)*1.3+float64(x)*.02) > -.2 {
				c = blend(c, s.kind.sun, .5*(1-path))
			}
			img.SetRGBA(x, y, c)
		}
	}
}

// firs draws trees in front.
func (s Scene) firs(img *image.RGBA, r *rand.Rand) {
	w, h := float64(s.Wide), float64(s.High)
	dark := blend(s.kind.near, color.RGBA{12, 24, 20, 255}, .6)
	for range 14 {
		x, foot := r.Float64()*w, h*(.93+.12*r.Float64())
		height := h * (.14 + .2*r.Float64())
		for y := foot - height; y < foot; y++ {
			down := (y - foot + height) / height
			half := height * .19 * down * (.62 + .38*math.Mod(down*6, 1))
			for xx := x - half; xx <= x+half; xx++ {
				if int(y) >= 0 && int(y) < s.High && int(xx) >= 0 && int(xx) < s.Wide {
					img.SetRGBA(int(xx), int(y), blend(dark, s.kind.far, .18*(1-down)))
				}
			}
		}
	}
}

func clamp(v float64) float64 { return math.Max(0, math.Min(1, v)) }

func blend(a, b color.RGBA, t float64) color.RGBA {
	mix := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*t) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
