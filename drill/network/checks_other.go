//go:build !linux

package network

import (
	"context"

	"github.com/candor-plane/candor/drill/doctor"
)

// Checks are the doctor's of what links are made of: nothing here.
func Checks() []doctor.Check {
	return []doctor.Check{func(context.Context) doctor.Probe {
		return doctor.Probe{
			Injector: "links between servers", Use: "cut, delay, lose what servers send one another",
			Why: "these need Linux", Fallback: "none: links between servers stay whole",
		}
	}}
}
