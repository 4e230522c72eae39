package llm

// #include "resample.h"
import "C"

import "math"

// kernel holds the fixed-point Lanczos weights of one direction.
type kernel struct {
	first, count []C.int
	weights      []C.int32_t
	taps         int
}

// lanczos plans the resampling of in pixels to out pixels as Pillow does:
// Lanczos over three lobes, widened when shrinking, in 22-bit fixed point.
func lanczos(in, out int) kernel {
	const lobes = 3
	scale := float64(in) / float64(out)
	widen := max(scale, 1)
	support := lobes * widen
	taps := int(math.Ceil(support))*2 + 1

	k := kernel{first: make([]C.int, out), count: make([]C.int, out), weights: make([]C.int32_t, out*taps), taps: taps}
	w := make([]float64, taps)
	for i := range out {
		center := (float64(i) + 0.5) * scale
		lo := max(int(center-support+0.5), 0)
		hi := min(int(center+support+0.5), in)
		sum := 0.0
		for j := range hi - lo {
			w[j] = sinc3((float64(j+lo) - center + 0.5) / widen)
			sum += w[j]
		}
		for j := range hi - lo {
			v := w[j]
			if sum != 0 {
				v /= sum
			}
			k.weights[i*taps+j] = C.int32_t(math.Round(v * (1 << 22)))
		}
		k.first[i], k.count[i] = C.int(lo), C.int(hi-lo)
	}
	return k
}

func sinc3(x float64) float64 {
	if x < -3 || x >= 3 {
		return 0
	}
	return sinc(x) * sinc(x/3)
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// resize resamples an RGB picture (w×h, interleaved, 8 bit) to dw×dh with the
// Lanczos filter, with exactly the results of Pillow.
func resize(pix []byte, w, h, dw, dh int) []byte {
	if w != dw {
		k := lanczos(w, dw)
		out := make([]byte, dw*h*3)
		C.pd_resample_rows((*C.uint8_t)(&pix[0]), C.int(w), C.int(h), (*C.uint8_t)(&out[0]), C.int(dw),
			&k.first[0], &k.count[0], &k.weights[0], C.int(k.taps))
		pix, w = out, dw
	}
	if h != dh {
		k := lanczos(h, dh)
		out := make([]byte, w*dh*3)
		acc := make([]C.int32_t, w*3)
		C.pd_resample_cols((*C.uint8_t)(&pix[0]), C.int(w), (*C.uint8_t)(&out[0]), C.int(dh),
			&k.first[0], &k.count[0], &k.weights[0], C.int(k.taps), &acc[0])
		pix = out
	}
	return pix
}
