package round

import "github.com/candor-plane/candor/bench/system"

// Side is one of the systems under comparison.
type Side struct {
	// Name is "candor" or "peer", or what Plain makes of it.
	Name   string
	System system.System
	// Security is that of the stage, plain for the side that Plain names.
	Security system.Security
}

// Plain names the side that a secured one is measured beside: itself, without
// TLS and access control.
func Plain(side string) string { return side + "-plain" }

// paired is the first side and its plain twin, then that of the second and itself.
func paired(sides []Side, security system.Security) []Side {
	all := make([]Side, 0, 2*len(sides))
	for i, plain := range sides {
		secured := plain
		secured.Security, plain.Name = security, Plain(plain.Name)
		if i == 0 {
			all = append(all, secured, plain)
		} else {
			all = append(all, plain, secured)
		}
	}
	return all
}

func names(sides []Side) []string {
	all := make([]string, len(sides))
	for i, side := range sides {
		all[i] = side.Name
	}
	return all
}
