package cli

import "github.com/candor-plane/candor"

// restart says how a server's last start was, and whether it has since applied
// what its log held then: the state of the start stays, the recovery ends.
func restart(state candor.RestartState, recovered bool) string {
	switch {
	case state == "":
		return ""
	case !recovered:
		return string(state) + ", recovering"
	case state == candor.RestartCatchUp || state == candor.RestartRebuild:
		return string(state) + ", recovered"
	default:
		return string(state)
	}
}

// restartWhy is restart with the reason.
func restartWhy(state candor.RestartState, recovered bool, why string) string {
	if why == "" {
		return restart(state, recovered)
	}
	return restart(state, recovered) + ": " + why
}
