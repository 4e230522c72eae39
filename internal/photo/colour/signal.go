package colour

import "math"

// Signal says what a picture's samples mean. The zero value is sRGB.
type Signal struct {
	primaries Primaries
	toLight   curve // nil: sRGB's
	convert   bool  // the primaries are not near sRGB's
	hdr       bool  // light may exceed white
	hlg       bool  // the light is the scene's, not a display's
	narrow    bool  // samples run from 16/255 to 235/255
}

// CICP are the code points of ITU-T H.273 by which HEIF, AVIF and PNG signal colour.
type CICP struct {
	Primaries, Transfer uint8
	NarrowRange         bool // black is 16/255 and white 235/255, and the decoder leaves them there
}

// HDR reports whether the transfer curve is PQ or HLG.
func (c CICP) HDR() bool { return c.Transfer == codePQ || c.Transfer == codeHLG }

// Specified reports whether primaries or transfer curve are named.
func (c CICP) Specified() bool { return c.Primaries != unspecified || c.Transfer != unspecified }

// Signal returns what the code points mean. Unspecified primaries
// are BT.2020's in HDR and sRGB's otherwise.
func (c CICP) Signal() Signal {
	s := Signal{narrow: c.NarrowRange, hdr: c.HDR(), hlg: c.Transfer == codeHLG, toLight: codedCurves[c.Transfer]}
	p, ok := codedPrimaries[c.Primaries]
	switch {
	case ok:
		s.primaries, s.convert = p, true
	case s.hdr && c.Primaries == unspecified:
		s.primaries, s.convert = bt2020, true
	}
	return s
}

// Gamma returns what a PNG's gAMA and cHRM mean: the exponent of its encoding
// (sRGB: 0.45455; 0: none given) and its primaries (nil: none given). Values
// that make no sense are left out.
func Gamma(gamma float64, primaries *Primaries) Signal {
	var s Signal
	// Within 5 % of sRGB's, as libpng has it, there is nothing to be seen.
	const tolerance, least, most = 0.05, 0.1, 10
	if gamma >= least && gamma <= most && math.Abs(gamma*2.2-1) > tolerance {
		s.toLight = power(1 / gamma)
	}
	if primaries != nil && primaries.usable() && !primaries.nearSRGB() {
		s.primaries, s.convert = *primaries, true
	}
	return s
}

// SRGB reports whether the samples are sRGB, or so near that they are better left alone.
func (s Signal) SRGB() bool { return s.toLight == nil && !s.convert && !s.narrow }
