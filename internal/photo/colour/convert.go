package colour

import (
	"math"
	"sync"
)

// Samples are the decoded samples of a picture, before any colour conversion.
type Samples struct {
	Width, Height int      // pixels
	Bands         int      // 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha
	Bytes         []byte   // samples of 8 bits, or nil if they are in Words
	Words         []uint16 // samples of 16 bits
	White         int      // the largest value of a sample, such as 255 or 65535
}

// knee is the light above which HDR is compressed. White is 1.
const knee = 0.75

// ToSRGB converts samples to 8-bit sRGB, three bytes a pixel. Samples with alpha
// are blended with white. Alpha is linear: the transfer curve does not apply to it.
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

// peak returns the light that rollOff maps to 1. It is 1 (white) if no light
// exceeds 1.2, and otherwise 1 plus the amount by which the brightest exceeds 1.2.
// The brightest half percent of the pixels is ignored. This margin and this share
// exclude the overshoot of codecs and resampling at edges, which would darken a
// picture without highlights.
func (c *converter) peak(pixels int) float32 {
	const steps, maxLight, overshoot = 4096, 10_000. / referenceWhite, 1.2
	var count [steps]int
	stride := pixels>>19 | 1 // half a million pixels are enough; odd, so that all columns are sampled
	for i := 0; i < pixels; i += stride {
		r, g, b := c.light(i)
		x := float64(max(r, g, b))
		count[min(int(math.Sqrt(x/maxLight)*steps), steps-1)]++
	}
	ignored := pixels / stride / 200
	for i := steps - 1; i > 0; i-- {
		if ignored -= count[i]; ignored < 0 {
			root := float64(i) / steps
			return float32(1 + max(root*root*maxLight-overshoot, 0))
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
	// A hyperbola from (knee, knee), where its slope is 1, to (peak, 1).
	slope := (peak - knee) / (1 - knee)
	t := (min(x, peak) - knee) / (peak - knee)
	scale := (knee + (1-knee)*slope*t/(1+(slope-1)*t)) / x
	return r * scale, g * scale, b * scale
}

// converter holds the lookup tables for one picture.
type converter struct {
	in     Samples
	colour bool              // three bands of colour, not one
	alpha  bool              // the last band is alpha
	curve  []float32         // the light of each sample value
	matrix *[3][3]float32    // to sRGB's primaries, or nil
	luma   [3]float32        // weights of the scene's luminance, for HLG
	ootf   *[1 << 16]float32 // for HLG, or nil
	srgb   *[1 << 16]byte    // the sRGB sample of each light
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

// sample returns sample n of the picture.
func (c *converter) sample(n int) int {
	if c.in.Words != nil {
		return int(c.in.Words[n])
	}
	return int(c.in.Bytes[n])
}

// light returns the light of pixel i in sRGB's primaries, clipped at 0.
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

// overWhite blends the encoded colour p of pixel i with white.
func (c *converter) overWhite(p [3]byte, i int) [3]byte {
	alpha := min(float64(c.sample((i+1)*c.in.Bands-1))/float64(c.in.White), 1)
	for j := range p {
		p[j] = byte(math.Round(float64(p[j])*alpha + 255*(1-alpha)))
	}
	return p
}

// encode returns the sRGB sample of a light.
func (c *converter) encode(light float32) byte {
	return c.srgb[int(min(light, 1)*float32(len(c.srgb)-1)+0.5)]
}

// encoded is the table of sRGB's 8-bit samples by light, in steps of 1/(len-1).
// A step is a twentieth of the light between the two darkest samples.
var encoded = sync.OnceValue(func() *[1 << 16]byte {
	var table [1 << 16]byte
	for i := range table {
		table[i] = byte(math.Round(255 * lightToSRGB(float64(i)/float64(len(table)-1))))
	}
	return &table
})

// ootf is the table of hlgDisplay by luminance, in steps of 1/(len-1).
var ootf = sync.OnceValue(func() *[1 << 16]float32 {
	var table [1 << 16]float32
	for i := range table {
		table[i] = float32(hlgDisplay(float64(i) / float64(len(table)-1)))
	}
	return &table
})
