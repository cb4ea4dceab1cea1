package workloads

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/candor-plane/candor"
)

const (
	defaultGrace            = 10
	defaultPeriod           = 10
	defaultTimeout          = 1
	defaultFailureThreshold = 3
)

// Digest names a template by its content: twelve hexadecimal digits of the SHA-256 of its
// canonical JSON. What is left out counts as the default that it stands for.
func Digest(t *candor.InstanceTemplate) string {
	full := *t
	if full.Packing == "" {
		full.Packing = candor.PackingSpread
	}
	if full.Restart == "" {
		full.Restart = candor.RestartAlways
	}
	if full.GraceSeconds == nil {
		grace := int32(defaultGrace)
		full.GraceSeconds = &grace
	}
	if full.Health != nil {
		full.Health = wholeProbe(*full.Health)
	}
	full.Spread = slices.Clone(full.Spread)
	for i := range full.Spread {
		full.Spread[i].MaxSkew = max(1, full.Spread[i].MaxSkew)
	}
	// encoding/json writes fields in the order of the type and maps in the order of keys.
	data, err := json.Marshal(full)
	if err != nil {
		panic("workloads: template: " + err.Error())
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

func wholeProbe(p candor.Probe) *candor.Probe {
	if p.PeriodSeconds == 0 {
		p.PeriodSeconds = defaultPeriod
	}
	if p.TimeoutSeconds == 0 {
		p.TimeoutSeconds = defaultTimeout
	}
	if p.FailureThreshold == 0 {
		p.FailureThreshold = defaultFailureThreshold
	}
	return &p
}
