package colour

import "math"

// Primaries are the CIE 1931 chromaticities of red, green, blue and white.
type Primaries struct{ Red, Green, Blue, White XY }

// XY is a chromaticity.
type XY struct{ X, Y float64 }

var d65 = XY{0.3127, 0.3290}

var (
	srgb   = Primaries{XY{0.640, 0.330}, XY{0.300, 0.600}, XY{0.150, 0.060}, d65}
	bt2020 = Primaries{XY{0.708, 0.292}, XY{0.170, 0.797}, XY{0.131, 0.046}, d65}
)

// codedPrimaries are the primaries of ITU-T H.273, table 2, that are not near sRGB's.
var codedPrimaries = map[uint8]Primaries{
	4:  {XY{0.67, 0.33}, XY{0.21, 0.71}, XY{0.14, 0.08}, XY{0.310, 0.316}},       // NTSC of 1953
	8:  {XY{0.681, 0.319}, XY{0.243, 0.692}, XY{0.145, 0.049}, XY{0.310, 0.316}}, // film
	9:  bt2020,                                                                   // BT.2020, BT.2100
	10: {XY{1, 0}, XY{0, 1}, XY{0, 0}, XY{1. / 3, 1. / 3}},                       // CIE XYZ
	11: {XY{0.680, 0.320}, XY{0.265, 0.690}, XY{0.150, 0.060}, XY{0.314, 0.351}}, // DCI P3
	12: {XY{0.680, 0.320}, XY{0.265, 0.690}, XY{0.150, 0.060}, XY{d65.X, d65.Y}}, // Display P3
}

// nearSRGB reports whether the primaries are within 0.02 of sRGB's in every
// coordinate, as those of standard-definition television are. The difference is
// then not visible, and the picture is not converted.
func (p Primaries) nearSRGB() bool {
	const tolerance = 0.02
	pairs := [][2]XY{{p.Red, srgb.Red}, {p.Green, srgb.Green}, {p.Blue, srgb.Blue}, {p.White, srgb.White}}
	for _, c := range pairs {
		if math.Abs(c[0].X-c[1].X) > tolerance || math.Abs(c[0].Y-c[1].Y) > tolerance {
			return false
		}
	}
	return true
}

// usable reports whether a conversion from the primaries is possible: they must
// span a triangle with the white point inside. Damaged files may have others.
func (p Primaries) usable() bool {
	for _, c := range []XY{p.Red, p.Green, p.Blue, p.White} {
		if !(c.X >= 0 && c.Y >= 0 && c.X+c.Y <= 1) { // written so that NaN fails
			return false
		}
	}
	if p.White.Y < 0.05 {
		return false
	}
	// Adaptation divides by these responses, so none may be close to zero.
	for _, cone := range bradford.apply(p.White.xyz()) {
		if cone < 0.01 {
			return false
		}
	}
	m, ok := p.toXYZ()
	if !ok {
		return false
	}
	for _, row := range m {
		for _, v := range row {
			if math.IsNaN(v) || math.Abs(v) > 100 {
				return false
			}
		}
	}
	return true
}

type matrix [3][3]float64

func (m matrix) apply(v [3]float64) (out [3]float64) {
	for i, row := range m {
		out[i] = row[0]*v[0] + row[1]*v[1] + row[2]*v[2]
	}
	return out
}

func (m matrix) times(n matrix) (out matrix) {
	for i := range 3 {
		for j := range 3 {
			out[i][j] = m[i][0]*n[0][j] + m[i][1]*n[1][j] + m[i][2]*n[2][j]
		}
	}
	return out
}

// inverse returns the inverse matrix; ok is false if there is none.
func (m matrix) inverse() (out matrix, ok bool) {
	cofactor := func(i, j int) float64 {
		a, b, c, d := (i+1)%3, (i+2)%3, (j+1)%3, (j+2)%3
		return m[a][c]*m[b][d] - m[a][d]*m[b][c]
	}
	det := m[0][0]*cofactor(0, 0) + m[0][1]*cofactor(0, 1) + m[0][2]*cofactor(0, 2)
	if math.Abs(det) < 1e-9 {
		return matrix{}, false
	}
	for i := range 3 {
		for j := range 3 {
			out[j][i] = cofactor(i, j) / det
		}
	}
	return out, true
}

// xyz returns the colour of luminance 1 that has this chromaticity, in CIE XYZ.
func (c XY) xyz() [3]float64 { return [3]float64{c.X / c.Y, 1, (1 - c.X - c.Y) / c.Y} }

// toXYZ returns the matrix from linear light to CIE XYZ; white has luminance 1.
// ok is false if the primaries do not span a triangle.
func (p Primaries) toXYZ() (matrix, bool) {
	m := matrix{
		{p.Red.X, p.Green.X, p.Blue.X},
		{p.Red.Y, p.Green.Y, p.Blue.Y},
		{1 - p.Red.X - p.Red.Y, 1 - p.Green.X - p.Green.Y, 1 - p.Blue.X - p.Blue.Y},
	}
	inv, ok := m.inverse()
	if !ok {
		return matrix{}, false
	}
	scale := inv.apply(p.White.xyz())
	for i := range 3 {
		for j := range 3 {
			m[i][j] *= scale[j]
		}
	}
	return m, true
}

// bradford is the matrix from CIE XYZ to the cone response in which a colour is
// adapted to another white point.
var bradford = matrix{{0.8951, 0.2664, -0.1614}, {-0.7502, 1.7135, 0.0367}, {0.0389, -0.0685, 1.0296}}

// toSRGB returns the matrix to sRGB's linear light. It maps white to white. The
// primaries must be usable.
func (p Primaries) toSRGB() matrix {
	toXYZ, _ := p.toXYZ()
	fromXYZ, _ := srgb.toXYZ()
	fromXYZ, _ = fromXYZ.inverse()
	fromCones, _ := bradford.inverse()
	source, target := bradford.apply(p.White.xyz()), bradford.apply(srgb.White.xyz())
	var scale matrix
	for i := range 3 {
		scale[i][i] = target[i] / source[i]
	}
	return fromXYZ.times(fromCones).times(scale).times(bradford).times(toXYZ)
}
