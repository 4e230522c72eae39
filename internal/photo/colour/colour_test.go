package colour

import (
	"math"
	"slices"
	"testing"
)

// code is the largest PQ sample of so many bits for a luminance in cd/m².
func code(t *testing.T, nits float64, white int) int {
	t.Helper()
	low, high := 0., 1.
	for range 60 {
		if mid := (low + high) / 2; pq(mid)*referenceWhite < nits {
			low = mid
		} else {
			high = mid
		}
	}
	return int(math.Round(low * float64(white)))
}

// Published values: SMPTE ST 2084, BT.2100, BT.2408.
func TestCurves(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"PQ 0", pq(0) * referenceWhite, 0},
		{"PQ 1", pq(1) * referenceWhite, 10_000},
		{"PQ of 100 cd/m²", pq(0.5081) * referenceWhite, 100},
		{"PQ of reference white", pq(0.5807) * referenceWhite, 203},
		{"HLG 0.5", hlg(0.5), 1. / 12},
		{"HLG 1", hlg(1), 1},
		{"HLG of reference white", hlg(0.75) * hlgDisplay(hlg(0.75)) * referenceWhite, 203},
		{"HLG's peak", hlg(1) * hlgDisplay(1) * referenceWhite, 1000},
		{"sRGB 0.5", srgbToLight(0.5), 0.21404},
		{"sRGB and back", lightToSRGB(srgbToLight(0.02)), 0.02},
		{"log 100:1", logarithmic(2)(0.5), 0.1},
		{"cinema", smpte428(1), 52.37 / 48},
	} {
		if math.Abs(c.got-c.want) > 0.003*max(c.want, 0.1) {
			t.Errorf("%s: got %g, want %g", c.name, c.got, c.want)
		}
	}
}

// The matrices of BT.2087 and of Display P3 as published.
func TestPrimaries(t *testing.T) {
	for name, c := range map[string]struct {
		from Primaries
		want matrix
	}{
		"BT.2020":    {bt2020, matrix{{1.6605, -0.5876, -0.0728}, {-0.1246, 1.1329, -0.0083}, {-0.0182, -0.1006, 1.1187}}},
		"Display P3": {codedPrimaries[12], matrix{{1.2249, -0.2249, 0}, {-0.0420, 1.0420, 0}, {-0.0197, -0.0786, 1.0983}}},
		"sRGB":       {srgb, matrix{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
	} {
		got := c.from.toSRGB()
		for i := range 3 {
			for j := range 3 {
				if math.Abs(got[i][j]-c.want[i][j]) > 2e-4 {
					t.Errorf("%s: %d, %d: got %f, want %f", name, i, j, got[i][j], c.want[i][j])
				}
			}
		}
	}
	for code, p := range codedPrimaries {
		if !p.usable() || p.nearSRGB() {
			t.Errorf("%d", code)
		}
		if white := p.toSRGB().apply([3]float64{1, 1, 1}); math.Abs(white[0]-1)+math.Abs(white[1]-1)+math.Abs(white[2]-1) > 1e-3 {
			t.Errorf("%d: white becomes %v", code, white)
		}
	}
}

// TestImpossibleWhites has white points to which one kind of cone does not
// respond, so that there is no matrix or one of NaN. PNG states white points in
// steps of 1e-5.
func TestImpossibleWhites(t *testing.T) {
	samples := Samples{Width: 1, Height: 1, Bands: 3, Bytes: []byte{10, 200, 90}, White: 255}
	for i := range 100_000 {
		y := 0.05 + float64(i)/100_000
		x := (0.1614 - y*(0.2664+0.1614)) / (0.8951 + 0.1614) // the first cone sees nothing
		if i%2 == 1 {
			x = 1 - y - (0.0685*y-0.0389*(1-y))/(1.0296-0.0389) // nor the third
		}
		p := srgb
		p.White = XY{math.Round(x*1e5) / 1e5, math.Round(y*1e5) / 1e5}
		if !p.usable() {
			continue
		}
		for _, row := range p.toSRGB() {
			for _, v := range row {
				if math.IsNaN(v) || math.Abs(v) > 1000 {
					t.Fatalf("%+v: %v", p.White, p.toSRGB())
				}
			}
		}
		Gamma(0.45455, &p).ToSRGB(samples)
	}
}

func TestSRGBSignals(t *testing.T) {
	near := srgb
	near.Green.X += 0.01
	line := Primaries{XY{0.1, 0.1}, XY{0.2, 0.2}, XY{0.3, 0.3}, d65}
	for name, s := range map[string]Signal{
		"zero":              {},
		"BT.709":            CICP{Primaries: 1, Transfer: 1}.Signal(),
		"sRGB":              CICP{Primaries: 1, Transfer: 13}.Signal(),
		"unspecified":       CICP{Primaries: 2, Transfer: 2}.Signal(),
		"BT.601":            CICP{Primaries: 6, Transfer: 6}.Signal(),
		"reserved":          CICP{Primaries: 200, Transfer: 200}.Signal(),
		"gamma 2.2":         Gamma(0.45455, nil),
		"no gamma":          Gamma(0, nil),
		"senseless gamma":   Gamma(0.00001, nil),
		"near primaries":    Gamma(0.45455, &near),
		"primaries in line": Gamma(0, &line),
		"primaries of zero": Gamma(0, &Primaries{}),
	} {
		if !s.SRGB() {
			t.Errorf("%s is converted", name)
		}
	}
	if (CICP{Primaries: 1, Transfer: 13, NarrowRange: true}).Signal().SRGB() {
		t.Error("narrow range is not converted")
	}
}

// one converts a picture of one row.
func one(s Signal, white, bands int, samples ...int) []byte {
	in := Samples{Width: len(samples) / bands, Height: 1, Bands: bands, White: white}
	for _, v := range samples {
		if white == 255 {
			in.Bytes = append(in.Bytes, byte(v))
		} else {
			in.Words = append(in.Words, uint16(v))
		}
	}
	return s.ToSRGB(in)
}

// TestIdentity checks that sRGB samples come out unchanged.
func TestIdentity(t *testing.T) {
	var samples, wide []int
	var want []byte
	for v := range 256 {
		samples, wide = append(samples, v), append(wide, v*257)
		want = append(want, byte(v), byte(v), byte(v))
	}
	if got := one(Signal{}, 255, 1, samples...); !slices.Equal(got, want) {
		t.Errorf("8 bits: %v", got)
	}
	if got := one(Signal{}, 65535, 1, wide...); !slices.Equal(got, want) {
		t.Errorf("16 bits: %v", got)
	}
}

// The same light in 8, 10, 12 and 16 bits is the same colour.
func TestDepths(t *testing.T) {
	for name, s := range map[string]Signal{
		"PQ":      CICP{Primaries: 9, Transfer: codePQ}.Signal(),
		"HLG":     CICP{Primaries: 9, Transfer: codeHLG}.Signal(),
		"P3":      CICP{Primaries: 12, Transfer: 13}.Signal(),
		"gamma 1": Gamma(1, nil),
	} {
		var want []byte
		for _, white := range []int{65535, 4095 << 4, 1023 << 6, 255} {
			step := map[int]int{65535: 1, 4095 << 4: 16, 1023 << 6: 64, 255: 1}[white]
			var samples []int
			for _, v := range []float64{0.6, 0.45, 0.4, 0.2, 0.58, 0.58, 0.7, 0.7, 0.7} {
				samples = append(samples, int(math.Round(v*float64(white)/float64(step)))*step)
			}
			got := one(s, white, 3, samples...)
			if want == nil {
				want = got
			}
			for i := range got {
				if d := int(got[i]) - int(want[i]); d > 2 || d < -2 {
					t.Errorf("%s, %d: got %v, want %v", name, white, got, want)
					break
				}
			}
		}
	}
}

func TestToneMapping(t *testing.T) {
	const white = 65535
	pq := CICP{Primaries: 9, Transfer: codePQ}.Signal()
	level := func(nits float64) int { return code(t, nits, white) }
	// Without light above the reference white the result is as in SDR.
	if got, want := one(pq, white, 1, level(203), level(203*0.2159), 0), []byte{255, 255, 255, 128, 128, 128, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("SDR in PQ: got %v, want %v", got, want)
	}
	// With highlights, mid-tones are unchanged, white stays bright and highlights differ.
	for _, peak := range []float64{400, 1000, 4000, 10_000} {
		got := one(pq, white, 1, level(20), level(203*0.2159), level(203), level(300), level(peak))
		mid, ref, over, top := got[3], got[6], got[9], got[12]
		if mid != 128 || ref < 240 || over <= ref || top <= over || top != 255 {
			t.Errorf("peak of %g: %v", peak, got)
		}
	}
	// A bright colour keeps its hue.
	got := one(pq, white, 3, level(1000), level(300), level(300), level(500), level(500), level(500))
	if got[0] != 255 || got[1] > 230 {
		t.Errorf("bright red: %v", got)
	}
	// One pixel in a thousand does not darken the others.
	samples := make([]int, 1000)
	for i := range samples {
		samples[i] = level(203)
	}
	samples[7] = level(10_000)
	if got := one(pq, white, 1, samples...); got[0] != 255 || got[7*3] != 255 {
		t.Errorf("beside a glint: %v", got[:24])
	}
	hlg := CICP{Primaries: 9, Transfer: codeHLG}.Signal()
	if got := one(hlg, 255, 1, 191, 0); got[0] < 254 || got[3] != 0 { // 75 %
		t.Errorf("HLG: %v", got)
	}
	// Unspecified primaries are those of HDR.
	if a, b := one(CICP{Primaries: 2, Transfer: codePQ}.Signal(), 255, 3, 100, 50, 50), one(pq, 255, 3, 100, 50, 50); !slices.Equal(a, b) {
		t.Errorf("unspecified: %v, not %v", a, b)
	}
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		name    string
		signal  Signal
		bands   int
		samples []int // of 8 bits
		want    []byte
	}{
		{"linear grey", Gamma(1, nil), 1, []int{55}, []byte{128, 128, 128}},
		{"gamma 1.8", Gamma(0.55556, nil), 1, []int{128}, []byte{146, 146, 146}},
		{"linear, by code", CICP{Primaries: 1, Transfer: 8}.Signal(), 3, []int{55, 0, 255}, []byte{128, 0, 255}},
		{"P3", CICP{Primaries: 12, Transfer: 13}.Signal(), 3, []int{200, 100, 50}, []byte{215, 93, 31}},
		{"grey in P3", CICP{Primaries: 12, Transfer: 13}.Signal(), 1, []int{77}, []byte{77, 77, 77}},
		{"P3 green is beyond", CICP{Primaries: 12, Transfer: 13}.Signal(), 3, []int{0, 255, 0}, []byte{0, 255, 0}},
		{"half clear", Gamma(1, nil), 4, []int{0, 0, 0, 128}, []byte{127, 127, 127}},
		{"clear", Gamma(1, nil), 2, []int{9, 0}, []byte{255, 255, 255}},
		{"narrow range", CICP{Primaries: 1, Transfer: 13, NarrowRange: true}.Signal(), 3, []int{16, 235, 255}, []byte{0, 255, 255}},
	} {
		if got := one(c.signal, 255, c.bands, c.samples...); !near(got, c.want, 1) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func near(a, b []byte, tolerance int) bool {
	return slices.EqualFunc(a, b, func(x, y byte) bool { return int(x)-int(y) <= tolerance && int(y)-int(x) <= tolerance })
}

// Any numbers of a file give pixels, and no panic.
func FuzzSignal(f *testing.F) {
	f.Add(uint8(9), uint8(16), false, 1., 0.3127, 0.329, 0.64, 0.33, []byte{1, 2, 3, 255, 255, 255})
	f.Add(uint8(10), uint8(18), true, 0.0, 0.0, 0.0, 1.0, 1.0, []byte{255, 0, 0})
	f.Fuzz(func(t *testing.T, primaries, transfer uint8, narrow bool, gamma, wx, wy, rx, ry float64, samples []byte) {
		p := srgb
		p.White, p.Red = XY{wx, wy}, XY{rx, ry}
		for _, s := range []Signal{CICP{primaries, transfer, narrow}.Signal(), Gamma(gamma, &p)} {
			n := len(samples) / 3
			if got := s.ToSRGB(Samples{Width: n, Height: 1, Bands: 3, White: 255, Bytes: samples}); len(got) != n*3 {
				t.Errorf("%d bytes for %d pixels", len(got), n)
			}
		}
	})
}
