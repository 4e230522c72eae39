package colour

import "math"

// A curve converts a sample, 0 to 1, to light. Light of 1 is white: in HDR a
// diffuse white surface, otherwise the largest value.
type curve func(sample float64) (light float64)

// referenceWhite is the luminance of diffuse white in HDR, in cd/m² (BT.2408).
const referenceWhite = 203.

// pq is the EOTF of SMPTE ST 2084.
func pq(v float64) float64 {
	const (
		m1 = 2610. / 16384
		m2 = 2523. / 4096 * 128
		c1 = 3424. / 4096
		c2 = 2413. / 4096 * 32
		c3 = 2392. / 4096 * 32
	)
	p := math.Pow(v, 1/m2)
	return 10_000 / referenceWhite * math.Pow(max(p-c1, 0)/(c2-c3*p), 1/m1)
}

// hlg is the inverse OETF of BT.2100. It gives the light of the scene, 0 to 1,
// which hlgDisplay converts to the light of a display.
func hlg(v float64) float64 {
	const (
		a = 0.17883277
		b = 1 - 4*a
		c = 0.55991073 // 0.5 - a*ln(4a)
	)
	if v <= 0.5 {
		return v * v / 3
	}
	return (math.Exp((v-c)/a) + b) / 12
}

// hlgDisplay returns the factor from the scene's light to that of a display of
// 1,000 cd/m² (the OOTF), given the scene's luminance. It is the same for all
// three channels.
func hlgDisplay(luminance float64) float64 {
	const peak, gamma = 1000, 1.2
	return peak / referenceWhite * math.Pow(luminance, gamma-1)
}

func srgbToLight(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

func lightToSRGB(v float64) float64 {
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

func linear(v float64) float64 { return v }

func power(gamma float64) curve {
	return func(v float64) float64 { return math.Pow(v, gamma) }
}

func logarithmic(decades float64) curve {
	return func(v float64) float64 {
		if v <= 0 {
			return 0
		}
		return math.Pow(10, (v-1)*decades)
	}
}

// smpte428 is the curve of digital cinema. Its white is 48 cd/m², its peak 52.37.
func smpte428(v float64) float64 { return 52.37 / 48 * math.Pow(v, 2.6) }

// Codes of ITU-T H.273, tables 2 and 3.
const (
	unspecified = 2
	codePQ      = 16
	codeHLG     = 18
)

// codedCurves are the curves of H.273, table 3, that are converted. The others are
// reserved, or are curves of television cameras, whose pictures look right when
// they are shown with sRGB's curve.
var codedCurves = map[uint8]curve{
	5:       power(2.8),
	8:       linear,
	9:       logarithmic(2),
	10:      logarithmic(2.5),
	codePQ:  pq,
	17:      smpte428,
	codeHLG: hlg,
}
