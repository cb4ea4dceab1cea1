package candor

// Freshness is what a read asks for. The default is FreshnessStrong.
type Freshness string

// The freshness classes.
const (
	FreshnessStrong     Freshness = "STRONG"
	FreshnessBounded    Freshness = "BOUNDED"
	FreshnessBestEffort Freshness = "BEST_EFFORT"
)

// ServingClass is what an answer may be relied on for.
type ServingClass string

// The serving classes.
const (
	ServingAuthoritative ServingClass = "AUTHORITATIVE"
	ServingBoundedStale  ServingClass = "BOUNDED_STALE"
	ServingDegraded      ServingClass = "DEGRADED"
)

// Mechanism is how an answer's freshness was established.
type Mechanism string

// The mechanisms. MechanismView proves nothing about freshness.
const (
	MechanismLeaderReadIndex   Mechanism = "LEADER_READ_INDEX"
	MechanismFollowerReadIndex Mechanism = "FOLLOWER_READ_INDEX"
	MechanismProvenView        Mechanism = "PROVEN_VIEW"
	MechanismView              Mechanism = "VIEW"
)

// CatchUpState is how far a node's view is behind the root.
type CatchUpState string

// The catch-up states; the empty state is "not known", and is told as absent.
const (
	CatchUpFresh             CatchUpState = "FRESH"
	CatchUpLagging           CatchUpState = "LAGGING"
	CatchUpBootstrapRequired CatchUpState = "BOOTSTRAP_REQUIRED"
	CatchUpRecovering        CatchUpState = "RECOVERING"
	CatchUpUnavailable       CatchUpState = "UNAVAILABLE"
)

// CatchUpAction is what a node does about its catch-up state.
type CatchUpAction string

// The catch-up actions.
const (
	CatchUpNone      CatchUpAction = "NONE"
	CatchUpAdvance   CatchUpAction = "ADVANCE"
	CatchUpReload    CatchUpAction = "RELOAD"
	CatchUpBootstrap CatchUpAction = "BOOTSTRAP"
	CatchUpReject    CatchUpAction = "REJECT"
)

// DegradedMode is what a client must know of a node's condition.
type DegradedMode string

// The degraded modes, from best to worst.
const (
	ModeHealthy             DegradedMode = "HEALTHY"
	ModeCoordinatorDegraded DegradedMode = "COORDINATOR_DEGRADED"
	ModeRootLagging         DegradedMode = "ROOT_LAGGING"
	ModeRootUnavailable     DegradedMode = "ROOT_UNAVAILABLE"
	ModeViewOnly            DegradedMode = "VIEW_ONLY"
)
