package candor

// AdmissionClass is what kind of request asked to enter a node.
type AdmissionClass string

// The admission classes.
const (
	AdmitRead     AdmissionClass = "READ"
	AdmitWrite    AdmissionClass = "WRITE"
	AdmitTopology AdmissionClass = "TOPOLOGY"
	AdmitExecute  AdmissionClass = "EXECUTE"
)

// Outcome is how far an admitted target came. It only moves forward.
type Outcome string

// The outcomes; the empty outcome is "this node knows nothing of it".
const (
	OutcomeRejected  Outcome = "REJECTED"
	OutcomeQueued    Outcome = "QUEUED"
	OutcomeProposed  Outcome = "PROPOSED"
	OutcomeCommitted Outcome = "COMMITTED"
	OutcomeApplied   Outcome = "APPLIED"
	OutcomeFailed    Outcome = "FAILED"
)

// RestartState is what a server's durable files say of it before it serves.
type RestartState string

// The restart states.
const (
	RestartReady    RestartState = "READY"
	RestartCatchUp  RestartState = "CATCH_UP"
	RestartRebuild  RestartState = "REBUILD"
	RestartDegraded RestartState = "DEGRADED"
	RestartFatal    RestartState = "FATAL"
)
