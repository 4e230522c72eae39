package main

import (
	"image"
	"image/color"
	"math"
	"math/rand"
)

// noise is smooth random noise between -1 and 1, made of octaves.
type noise struct{ table [256]float64 }

func newNoise(seed int64) *noise {
	r := rand.New(rand.NewSource(seed))
	n := new(noise)
	for i := range n.table {
		n.table[i] = r.Float64()*2 - 1
	}
	return n
}

func (n *noise) at(x, y float64, octaves int) float64 {
	sum, size, total := 0.0, 1.0, 0.0
	for range octaves {
		sum += size * n.one(x, y)
		total += size
		x, y, size = x*2.03+17, y*2.03+31, size/2
	}
	return sum / total
}

func (n *noise) one(x, y float64) float64 {
	xi, yi := math.Floor(x), math.Floor(y)
	u, v := ease(x-xi), ease(y-yi)
	at := func(i, j int) float64 { return n.table[((i*73)^(j*151))&255] }
	i, j := int(xi), int(yi)
	return (at(i, j)*(1-u)+at(i+1, j)*u)*(1-v) + (at(i, j+1)*(1-u)+at(i+1, j+1)*u)*v
}

func ease(t float64) float64 { return t * t * (3 - 2*t) }

func clamp(t float64) float64 { return min(max(t, 0), 1) }

// hills are three ranges of green hills under a blue sky with white clouds.
func hills(width, height int) *image.NRGBA {
	n := newNoise(7)
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	ranges := []struct {
		base, swing, scale float64
		near               color.NRGBA
	}{
		{0.52, 0.10, 2.2, color.NRGBA{110, 150, 140, 255}},
		{0.64, 0.12, 3.1, color.NRGBA{80, 140, 80, 255}},
		{0.80, 0.14, 2.0, color.NRGBA{60, 120, 40, 255}},
	}
	for y := range height {
		for x := range width {
			u, v := float64(x)/float64(width), float64(y)/float64(height)
			c := mix(color.NRGBA{60, 130, 225, 255}, color.NRGBA{180, 215, 245, 255}, clamp(v/0.55))
			cloud := clamp(n.at(u*5, v*12, 5)*2.2 - 0.25)
			c = mix(c, white, cloud*0.9)
			for i, r := range ranges {
				edge := r.base + r.swing*n.at(u*r.scale+float64(i)*40, float64(i)*9, 5)
				if v > edge {
					light := 1 + 0.35*n.at(u*30+float64(i), v*45, 4) - 0.3*(v-edge)
					c = shade(r.near, light)
				}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// sunset is a low sun over the sea, with its path of light on the water.
func sunset(width, height int) *image.NRGBA {
	n := newNoise(11)
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	const horizon, sunX, sunY = 0.58, 0.62, 0.50
	for y := range height {
		for x := range width {
			u, v := float64(x)/float64(width), float64(y)/float64(height)
			d := math.Hypot((u-sunX)*float64(width), (v-sunY)*float64(height)) / float64(height)
			var c color.NRGBA
			if v < horizon {
				c = mix(color.NRGBA{70, 40, 110, 255}, color.NRGBA{250, 130, 50, 255}, clamp(v/horizon))
				c = mix(c, color.NRGBA{150, 70, 90, 255}, clamp(n.at(u*3, v*16, 5)*1.6))
				c = mix(c, color.NRGBA{255, 235, 160, 255}, math.Exp(-d*9)+map[bool]float64{true: 1 - math.Exp(-d*9)}[d < 0.06])
			} else {
				depth := (v - horizon) / (1 - horizon)
				c = mix(color.NRGBA{150, 80, 70, 255}, color.NRGBA{20, 30, 70, 255}, clamp(depth*1.2))
				wave := n.at(u*(20-12*depth), v*120/(0.4+depth), 4)
				c = shade(c, 1+0.4*wave)
				glow := math.Exp(-math.Pow((u-sunX)/(0.03+0.10*depth), 2)) * clamp(0.6+1.8*wave)
				c = mix(c, color.NRGBA{255, 190, 100, 255}, clamp(glow*(1-0.5*depth)))
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// shade makes a colour brighter (above 1) or darker.
func shade(c color.NRGBA, light float64) color.NRGBA {
	f := func(v uint8) uint8 { return uint8(min(max(float64(v)*light, 0), 255)) }
	return color.NRGBA{f(c.R), f(c.G), f(c.B), 255}
}
