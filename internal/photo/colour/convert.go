package colour

import (
	"math"
	"sync"
)

// Samples are a picture's, as its file has them.
type Samples struct {
	Width, Height int
	Bands         int      // 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
	Bytes         []byte   // samples of 8 bits; nil: they are in Words
	Words         []uint16 // samples of 16 bits
	White         int      // the largest sample, such as 255 or 65535
}

// knee is the light from which on HDR is compressed, with white at 1.
const knee = 0.75

// ToSRGB converts samples to 8-bit sRGB, laid over white where they have alpha;
// three bytes a pixel. Alpha is not encoded by the curve.
func (s Signal) ToSRGB(in Samples) []byte {
	c := s.converter(in)
	pixels := in.Width * in.Height
	peak := float32(1)
	if s.hdr {
		peak = c.peak(pixels)
	}
	out := make([]byte, 0, pixels*3)
	for i := range pixels {
		r, g, b := c.light(i)
		if s.hdr {
			r, g, b = rollOff(r, g, b, peak)
		}
		p := [3]byte{c.encode(r), c.encode(g), c.encode(b)}
		if c.alpha {
			p = c.overWhite(p, i)
		}
		out = append(out, p[:]...)
	}
	return out
}

// peak is the light that rollOff makes 1: white or, where there is light beyond
// 1.2, as far above white as that goes beyond 1.2. Half a percent of the pixels
// do not count. Both leave out what codecs and resampling add at edges, which
// would darken a picture without highlights.
func (c *converter) peak(pixels int) float32 {
	const steps, most, overshoot = 4096, 10_000. / referenceWhite, 1.2
	var count [steps]int
	stride := pixels>>19 | 1 // half a million pixels tell as much as all; odd, so that it takes all columns
	for i := 0; i < pixels; i += stride {
		r, g, b := c.light(i)
		x := float64(max(r, g, b))
		count[min(int(math.Sqrt(x/most)*steps), steps-1)]++
	}
	left := pixels / stride / 200
	for i := steps - 1; i > 0; i-- {
		if left -= count[i]; left < 0 {
			root := float64(i) / steps
			return float32(1 + max(root*root*most-overshoot, 0))
		}
	}
	return 1
}

// rollOff compresses the light of one pixel so that peak becomes 1.
func rollOff(r, g, b, peak float32) (float32, float32, float32) {
	x := max(r, g, b)
	if x <= knee || peak <= 1 {
		return r, g, b
	}
	most := min(x, peak)
	// A hyperbola from (knee, knee), where its slope is 1, to (peak, 1).
	slope := (peak - knee) / (1 - knee)
	t := (most - knee) / (peak - knee)
	scale := (knee + (1-knee)*slope*t/(1+(slope-1)*t)) / x
	return r * scale, g * scale, b * scale
}

// converter has what the pixels of one picture need, as tables.
type converter struct {
	in     Samples
	colour bool      // three bands of colour, not one
	alpha  bool      // the last band
	curve  []float32 // light of each sample
	matrix *[3][3]float32
	luma   [3]float32        // of the scene's light, for HLG
	ootf   *[1 << 16]float32 // for HLG, or nil
	srgb   *[1 << 16]byte
}

func (s Signal) converter(in Samples) *converter {
	c := &converter{in: in, srgb: encoded(), colour: in.Bands >= 3, alpha: in.Bands%2 == 0}
	toLight := s.toLight
	if toLight == nil {
		toLight = srgbToLight
	}
	size := 256
	if in.Words != nil {
		size = 1 << 16
	}
	c.curve = make([]float32, size)
	for i := range c.curve {
		v := float64(i) / float64(in.White)
		if s.narrow {
			v = (v*255 - 16) / (235 - 16)
		}
		c.curve[i] = float32(toLight(min(max(v, 0), 1)))
	}
	primaries := srgb
	if s.convert {
		primaries = s.primaries
		m := primaries.toSRGB()
		c.matrix = new([3][3]float32)
		for i := range 3 {
			for j := range 3 {
				c.matrix[i][j] = float32(m[i][j])
			}
		}
	}
	if s.hlg {
		xyz, _ := primaries.toXYZ()
		c.luma = [3]float32{float32(xyz[1][0]), float32(xyz[1][1]), float32(xyz[1][2])}
		c.ootf = ootf()
	}
	return c
}

// sample is sample n of the picture.
func (c *converter) sample(n int) int {
	if c.in.Words != nil {
		return int(c.in.Words[n])
	}
	return int(c.in.Bytes[n])
}

// light is the light of pixel i in sRGB's primaries; none is negative.
func (c *converter) light(i int) (r, g, b float32) {
	at := i * c.in.Bands
	r = c.curve[c.sample(at)]
	g, b = r, r
	if c.colour {
		g, b = c.curve[c.sample(at+1)], c.curve[c.sample(at+2)]
	}
	if c.ootf != nil {
		luminance := min(max(c.luma[0]*r+c.luma[1]*g+c.luma[2]*b, 0), 1)
		f := c.ootf[int(luminance*float32(len(c.ootf)-1)+0.5)]
		r, g, b = r*f, g*f, b*f
	}
	if m := c.matrix; m != nil && c.colour {
		r, g, b = m[0][0]*r+m[0][1]*g+m[0][2]*b, m[1][0]*r+m[1][1]*g+m[1][2]*b, m[2][0]*r+m[2][1]*g+m[2][2]*b
	}
	return max(r, 0), max(g, 0), max(b, 0)
}

func (c *converter) overWhite(p [3]byte, i int) [3]byte {
	alpha := min(float64(c.sample((i+1)*c.in.Bands-1))/float64(c.in.White), 1)
	for j := range p {
		p[j] = byte(math.Round(float64(p[j])*alpha + 255*(1-alpha)))
	}
	return p
}

func (c *converter) encode(light float32) byte {
	return c.srgb[int(min(light, 1)*float32(len(c.srgb)-1)+0.5)]
}

// encoded are sRGB's 8-bit samples by light, in steps of 1/(len-1): a
// twentieth of what one sample at the dark end spans.
var encoded = sync.OnceValue(func() *[1 << 16]byte {
	var table [1 << 16]byte
	for i := range table {
		table[i] = byte(math.Round(255 * lightToSRGB(float64(i)/float64(len(table)-1))))
	}
	return &table
})

// ootf is hlgDisplay by luminance, in steps of 1/(len-1).
var ootf = sync.OnceValue(func() *[1 << 16]float32 {
	var table [1 << 16]float32
	for i := range table {
		table[i] = float32(hlgDisplay(float64(i) / float64(len(table)-1)))
	}
	return &table
})
