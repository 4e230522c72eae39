package pool

import "math"

// This file estimates how fast workers × threads describe photos, so that
// MakePlan can choose. Only ratios count. Figures marked "measured" are of
// docs/performance.md: the 500M shape (0.54 GB of weights), photos of one tile
// and 64 tokens, on cores with AVX-512; the others are assumptions, which
// `photodesc bench --threads-sweep` replaces by a measurement.
const (
	costWeights = 0.54e9 // bytes of the model that was measured
	costTokens  = 64     // in a description

	// Core seconds. All grow with the weights.
	costPrompt = 0.84   // measured: one tile encoded, its prompt prefilled
	costStep   = 0.012  // measured: one step of generation, whatever its slots
	costToken  = 0.0028 // measured: each slot's part of a step

	// costBarriers is what a photo waits in a worker of two threads, which meet
	// after each of some thousands of operations, in seconds. It does not grow with
	// the weights. Measured for two threads; assumed to be as much again for each
	// doubling.
	costBarriers = 0.07

	// Bytes a second that all cores together can read. A machine of two cores
	// reads 42 to 70 GB/s (measured); that larger ones read so much more is assumed.
	costBandwidth     = 40e9 // up to eight cores
	costBandwidthMore = 3e9  // for each core beyond them
	costCache         = 32e6 // bytes: smaller weights stay in the cores' caches

	// threadsMustGain is how much faster workers of several threads must be than
	// those of one. They are slowed down far more by other programs: one thread that
	// is off its core holds up all of its worker (measured: to a half, or to a tenth
	// where barriers spin).
	threadsMustGain = 1.25
)

// preference is the estimate by which shapes are compared.
func preference(weights uint64, cpus int, p Plan) float64 {
	rate := photosPerSecond(weights, cpus, p.Workers, p.Threads, p.Slots)
	switch {
	case !p.Fits:
		return 0
	case p.Threads > 1:
		return rate / threadsMustGain
	}
	return rate
}

// photosPerSecond estimates the rate of workers × threads with so many slots each
// on a machine of cpus cores. A worker needs core seconds for a photo, which its
// threads share, and waits at barriers. Each step of generation reads the weights
// once for all slots of a worker, so that many workers may meet the limit of memory.
func photosPerSecond(weights uint64, cpus, workers, threads, slots int) float64 {
	scale := max(float64(weights), 1e6) / costWeights
	work := scale * (costPrompt + costTokens*(costStep/float64(slots)+costToken))
	photo := work/float64(threads) + costBarriers*math.Log2(float64(threads))
	read := scale * costWeights * costTokens / float64(slots)
	bandwidth := costBandwidth + costBandwidthMore*float64(max(0, cpus-8))
	rate := float64(workers) / photo
	if float64(weights) < costCache {
		return rate
	}
	return min(rate, bandwidth/read)
}
