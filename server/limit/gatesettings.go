package limit

import (
	"fmt"
	"math"

	"github.com/candor-plane/candor"
)

// GateSettings are the limits of one listener. [GateDefaults] has values for all
// of them. Loopback is an address like any other.
type GateSettings struct {
	// Connections bounds those that are open, PerAddress those of one address (an
	// IPv6 /64 is one).
	Connections int
	PerAddress  int
	// Rate is how many connections an address may open per second, on average, and
	// Burst how many at once; a Rate of 0 is no bound.
	Rate  float64
	Burst int
	// Addresses is how many are remembered that have nothing open.
	Addresses int
}

// GateDefaults are the limits of a listener whose operator set none. The burst
// lets everyone behind one address come back after a restart.
func GateDefaults() GateSettings {
	return GateSettings{Connections: 10_000, PerAddress: 2_000, Rate: 200, Burst: 500, Addresses: 16_384}
}

// Check returns an Error of reason INVALID, with a field for each setting that
// cannot be kept.
func (s *GateSettings) Check() error {
	var faults []candor.FieldViolation
	for _, n := range []struct {
		flag  string
		value int
	}{
		{flagConnections, s.Connections},
		{flagConnectionsPerAddress, s.PerAddress},
		{flagAddresses, s.Addresses},
	} {
		if n.value < 1 || n.value > math.MaxInt32 {
			faults = append(faults, candor.FieldViolation{Path: n.flag, Message: fmt.Sprintf("is %d; want 1 to %d", n.value, math.MaxInt32)})
		}
	}
	if wrong := rateFault(s.Rate, s.Burst); wrong != "" {
		faults = append(faults, candor.FieldViolation{Path: flagAcceptRate, Message: fmt.Sprintf("is %g with a burst of %d; %s", s.Rate, s.Burst, wrong)})
	}
	return invalid(faults)
}

// The flags that set a gate's limits.
const (
	flagConnections           = "--limit connections"
	flagConnectionsPerAddress = "--limit connections-per-address"
	flagAcceptRate            = "--limit accept-rate"
	flagAddresses             = "--limit addresses"
)
