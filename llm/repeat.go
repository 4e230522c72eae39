package llm

import "slices"

// repeats tells whether the tokens end in a loop, and how many tokens to keep so
// that only the first round of the loop is left. Short rounds must repeat more often
// than long ones before they count: "very, very" is English.
func repeats(tokens []int32) (keep int, yes bool) {
	const longest = 96 // tokens in one round
	for period := 1; period <= min(longest, len(tokens)/2); period++ {
		rounds := minRounds(period)
		if period*rounds > len(tokens) {
			continue
		}
		tail := tokens[len(tokens)-period*rounds:]
		if slices.Equal(tail[:len(tail)-period], tail[period:]) {
			// The loop may begin before the rounds compared.
			start := len(tokens) - len(tail)
			for start > 0 && tokens[start-1] == tokens[start-1+period] {
				start--
			}
			return start + period, true
		}
	}
	return 0, false
}

func minRounds(period int) int {
	switch {
	case period <= 2:
		return 12
	case period < 8:
		return 5
	case period < 20:
		return 3
	}
	return 2
}
