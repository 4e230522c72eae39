package colour

import "math"

// Signal is the colour encoding of a picture's samples. The zero value is sRGB.
type Signal struct {
	primaries Primaries
	toLight   curve // nil: sRGB's
	convert   bool  // the primaries are not near sRGB's
	hdr       bool  // light may exceed white
	hlg       bool  // toLight gives the light of the scene, not of a display
	narrow    bool  // samples run from 16/255 to 235/255
}

// CICP are the code points of ITU-T H.273 by which HEIF, AVIF and PNG signal colour.
type CICP struct {
	Primaries, Transfer uint8
	NarrowRange         bool // black is 16/255 and white 235/255 in the decoded samples
}

// HDR reports whether the transfer curve is PQ or HLG.
func (c CICP) HDR() bool { return c.Transfer == codePQ || c.Transfer == codeHLG }

// Specified reports whether the primaries or the transfer curve are specified.
func (c CICP) Specified() bool { return c.Primaries != unspecified || c.Transfer != unspecified }

// Signal returns the encoding that the code points stand for. Unspecified
// primaries are those of BT.2020 in HDR and those of sRGB otherwise.
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

// Gamma returns the encoding that gAMA and cHRM of a PNG stand for. gamma is the
// exponent of the encoding (0.45455 in sRGB), or 0 if there is no gAMA. primaries
// is nil if there is no cHRM. Values that are not plausible are ignored.
func Gamma(gamma float64, primaries *Primaries) Signal {
	var s Signal
	// A difference of 5 % from sRGB's gamma is not visible; libpng has the same tolerance.
	const tolerance, minGamma, maxGamma = 0.05, 0.1, 10
	if gamma >= minGamma && gamma <= maxGamma && math.Abs(gamma*2.2-1) > tolerance {
		s.toLight = power(1 / gamma)
	}
	if primaries != nil && primaries.usable() && !primaries.nearSRGB() {
		s.primaries, s.convert = *primaries, true
	}
	return s
}

// SRGB reports whether the samples are sRGB, or so close to it that they are not converted.
func (s Signal) SRGB() bool { return s.toLight == nil && !s.convert && !s.narrow }
