package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// FreshnessToProto is UNSPECIFIED for any other word.
func FreshnessToProto(v candor.Freshness) candorv1.Freshness {
	switch v {
	case candor.FreshnessStrong:
		return candorv1.Freshness_FRESHNESS_STRONG
	case candor.FreshnessBounded:
		return candorv1.Freshness_FRESHNESS_BOUNDED
	case candor.FreshnessBestEffort:
		return candorv1.Freshness_FRESHNESS_BEST_EFFORT
	default:
		return candorv1.Freshness_FRESHNESS_UNSPECIFIED
	}
}

// FreshnessFromProto is empty for any other value.
func FreshnessFromProto(p candorv1.Freshness) candor.Freshness {
	switch p {
	case candorv1.Freshness_FRESHNESS_STRONG:
		return candor.FreshnessStrong
	case candorv1.Freshness_FRESHNESS_BOUNDED:
		return candor.FreshnessBounded
	case candorv1.Freshness_FRESHNESS_BEST_EFFORT:
		return candor.FreshnessBestEffort
	default:
		return ""
	}
}

// ServingClassToProto is UNSPECIFIED for any other word.
func ServingClassToProto(v candor.ServingClass) candorv1.ServingClass {
	switch v {
	case candor.ServingAuthoritative:
		return candorv1.ServingClass_SERVING_CLASS_AUTHORITATIVE
	case candor.ServingBoundedStale:
		return candorv1.ServingClass_SERVING_CLASS_BOUNDED_STALE
	case candor.ServingDegraded:
		return candorv1.ServingClass_SERVING_CLASS_DEGRADED
	default:
		return candorv1.ServingClass_SERVING_CLASS_UNSPECIFIED
	}
}

// ServingClassFromProto is empty for any other value.
func ServingClassFromProto(p candorv1.ServingClass) candor.ServingClass {
	switch p {
	case candorv1.ServingClass_SERVING_CLASS_AUTHORITATIVE:
		return candor.ServingAuthoritative
	case candorv1.ServingClass_SERVING_CLASS_BOUNDED_STALE:
		return candor.ServingBoundedStale
	case candorv1.ServingClass_SERVING_CLASS_DEGRADED:
		return candor.ServingDegraded
	default:
		return ""
	}
}

// MechanismToProto is UNSPECIFIED for any other word.
func MechanismToProto(v candor.Mechanism) candorv1.Mechanism {
	switch v {
	case candor.MechanismLeaderReadIndex:
		return candorv1.Mechanism_MECHANISM_LEADER_READ_INDEX
	case candor.MechanismFollowerReadIndex:
		return candorv1.Mechanism_MECHANISM_FOLLOWER_READ_INDEX
	case candor.MechanismProvenView:
		return candorv1.Mechanism_MECHANISM_PROVEN_VIEW
	case candor.MechanismView:
		return candorv1.Mechanism_MECHANISM_VIEW
	default:
		return candorv1.Mechanism_MECHANISM_UNSPECIFIED
	}
}

// MechanismFromProto is empty for any other value.
func MechanismFromProto(p candorv1.Mechanism) candor.Mechanism {
	switch p {
	case candorv1.Mechanism_MECHANISM_LEADER_READ_INDEX:
		return candor.MechanismLeaderReadIndex
	case candorv1.Mechanism_MECHANISM_FOLLOWER_READ_INDEX:
		return candor.MechanismFollowerReadIndex
	case candorv1.Mechanism_MECHANISM_PROVEN_VIEW:
		return candor.MechanismProvenView
	case candorv1.Mechanism_MECHANISM_VIEW:
		return candor.MechanismView
	default:
		return ""
	}
}

// CatchUpStateToProto is UNSPECIFIED for any other word.
func CatchUpStateToProto(v candor.CatchUpState) candorv1.CatchUpState {
	switch v {
	case candor.CatchUpFresh:
		return candorv1.CatchUpState_CATCH_UP_STATE_FRESH
	case candor.CatchUpLagging:
		return candorv1.CatchUpState_CATCH_UP_STATE_LAGGING
	case candor.CatchUpBootstrapRequired:
		return candorv1.CatchUpState_CATCH_UP_STATE_BOOTSTRAP_REQUIRED
	case candor.CatchUpRecovering:
		return candorv1.CatchUpState_CATCH_UP_STATE_RECOVERING
	case candor.CatchUpUnavailable:
		return candorv1.CatchUpState_CATCH_UP_STATE_UNAVAILABLE
	default:
		return candorv1.CatchUpState_CATCH_UP_STATE_UNSPECIFIED
	}
}

// CatchUpStateFromProto is empty for any other value.
func CatchUpStateFromProto(p candorv1.CatchUpState) candor.CatchUpState {
	switch p {
	case candorv1.CatchUpState_CATCH_UP_STATE_FRESH:
		return candor.CatchUpFresh
	case candorv1.CatchUpState_CATCH_UP_STATE_LAGGING:
		return candor.CatchUpLagging
	case candorv1.CatchUpState_CATCH_UP_STATE_BOOTSTRAP_REQUIRED:
		return candor.CatchUpBootstrapRequired
	case candorv1.CatchUpState_CATCH_UP_STATE_RECOVERING:
		return candor.CatchUpRecovering
	case candorv1.CatchUpState_CATCH_UP_STATE_UNAVAILABLE:
		return candor.CatchUpUnavailable
	default:
		return ""
	}
}

// CatchUpActionToProto is UNSPECIFIED for any other word.
func CatchUpActionToProto(v candor.CatchUpAction) candorv1.CatchUpAction {
	switch v {
	case candor.CatchUpNone:
		return candorv1.CatchUpAction_CATCH_UP_ACTION_NONE
	case candor.CatchUpAdvance:
		return candorv1.CatchUpAction_CATCH_UP_ACTION_ADVANCE
	case candor.CatchUpReload:
		return candorv1.CatchUpAction_CATCH_UP_ACTION_RELOAD
	case candor.CatchUpBootstrap:
		return candorv1.CatchUpAction_CATCH_UP_ACTION_BOOTSTRAP
	case candor.CatchUpReject:
		return candorv1.CatchUpAction_CATCH_UP_ACTION_REJECT
	default:
		return candorv1.CatchUpAction_CATCH_UP_ACTION_UNSPECIFIED
	}
}

// CatchUpActionFromProto is empty for any other value.
func CatchUpActionFromProto(p candorv1.CatchUpAction) candor.CatchUpAction {
	switch p {
	case candorv1.CatchUpAction_CATCH_UP_ACTION_NONE:
		return candor.CatchUpNone
	case candorv1.CatchUpAction_CATCH_UP_ACTION_ADVANCE:
		return candor.CatchUpAdvance
	case candorv1.CatchUpAction_CATCH_UP_ACTION_RELOAD:
		return candor.CatchUpReload
	case candorv1.CatchUpAction_CATCH_UP_ACTION_BOOTSTRAP:
		return candor.CatchUpBootstrap
	case candorv1.CatchUpAction_CATCH_UP_ACTION_REJECT:
		return candor.CatchUpReject
	default:
		return ""
	}
}

// DegradedModeToProto is UNSPECIFIED for any other word.
func DegradedModeToProto(v candor.DegradedMode) candorv1.DegradedMode {
	switch v {
	case candor.ModeHealthy:
		return candorv1.DegradedMode_DEGRADED_MODE_HEALTHY
	case candor.ModeCoordinatorDegraded:
		return candorv1.DegradedMode_DEGRADED_MODE_COORDINATOR_DEGRADED
	case candor.ModeRootLagging:
		return candorv1.DegradedMode_DEGRADED_MODE_ROOT_LAGGING
	case candor.ModeRootUnavailable:
		return candorv1.DegradedMode_DEGRADED_MODE_ROOT_UNAVAILABLE
	case candor.ModeViewOnly:
		return candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY
	default:
		return candorv1.DegradedMode_DEGRADED_MODE_UNSPECIFIED
	}
}

// DegradedModeFromProto is empty for any other value.
func DegradedModeFromProto(p candorv1.DegradedMode) candor.DegradedMode {
	switch p {
	case candorv1.DegradedMode_DEGRADED_MODE_HEALTHY:
		return candor.ModeHealthy
	case candorv1.DegradedMode_DEGRADED_MODE_COORDINATOR_DEGRADED:
		return candor.ModeCoordinatorDegraded
	case candorv1.DegradedMode_DEGRADED_MODE_ROOT_LAGGING:
		return candor.ModeRootLagging
	case candorv1.DegradedMode_DEGRADED_MODE_ROOT_UNAVAILABLE:
		return candor.ModeRootUnavailable
	case candorv1.DegradedMode_DEGRADED_MODE_VIEW_ONLY:
		return candor.ModeViewOnly
	default:
		return ""
	}
}
