package sim

import "math/rand/v2"

// dice is the randomness of one choice.
type dice struct{ source rand.PCG }

func (c *Choice) dice() *dice {
	d := new(dice)
	d.source.Seed(c.Draw, uint64(c.Number))
	return d
}

// upto draws one of 0 to n-1; the bias of so few is of no matter.
func (d *dice) upto(n int) int {
	if n <= 1 {
		return 0
	}
	return int(d.source.Uint64() % uint64(n))
}

// span draws a time of 1 to most nanoseconds.
func (d *dice) span(most int64) int64 { return 1 + int64(d.source.Uint64()%uint64(max(1, most))) }

// chance says yes so many times of a hundred.
func (d *dice) chance(percent int) bool { return d.upto(100) < percent }
