package doctor

import "context"

// Probe is what was found of one means to make faults.
type Probe struct {
	// Injector names the means, Use what faults it makes.
	Injector string `json:"injector"`
	Use      string `json:"use"`
	Able     bool   `json:"able"`
	// Why it cannot be used, where it cannot.
	Why string `json:"why,omitempty"`
	// Fallback is what is used then.
	Fallback string `json:"fallback,omitempty"`
}

// Check tries one means.
type Check func(ctx context.Context) Probe

// Examine makes all checks, one after the other.
func Examine(ctx context.Context, checks ...Check) []Probe {
	out := make([]Probe, 0, len(checks))
	for _, check := range checks {
		out = append(out, check(ctx))
	}
	return out
}

// Tried is the probe after the means was tried: able, or why not.
func (p Probe) Tried(err error) Probe {
	p.Able, p.Why = err == nil, ""
	if err != nil {
		p.Why = err.Error()
	}
	return p
}
