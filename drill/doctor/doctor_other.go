//go:build !linux

package doctor

import (
	"context"

	"github.com/candor-plane/candor"
)

// Checks are none: what they try needs Linux.
func Checks() []Check { return []Check{SystemCalls} }

// SystemCalls is not able here.
func SystemCalls(context.Context) Probe {
	return Probe{
		Injector: "seccomp user notification", Use: "lead servers' connections to proxies; slow, hanging and failing disks",
		Why: "it needs Linux", Fallback: "none",
	}
}

// Self is refused: a mark needs Linux.
func Self() (Mark, error) {
	return Mark{}, candor.Errorf(candor.ReasonUnimplemented, "a drill's mark: it needs Linux")
}

// EndInstances has nothing to end: workers need Linux.
func EndInstances(context.Context, string) error { return nil }

// Clean is refused: marks need Linux.
func Clean(context.Context, ...string) ([]string, error) {
	return nil, candor.Errorf(candor.ReasonUnimplemented, "clean up after drills: it needs Linux")
}
