package candor

// Reason is an enumerated UPPER_SNAKE word: why a request was refused or
// failed. It is stable; messages are not.
type Reason string

// RetryClass is what a client may do about a refusal.
type RetryClass string

// The retry classes.
const (
	RetrySameNode       RetryClass = "SAME_NODE"
	RetryLeader         RetryClass = "LEADER"
	RetryOtherNode      RetryClass = "OTHER_NODE"
	RetryWaitForToken   RetryClass = "WAIT_FOR_TOKEN"
	RetryLater          RetryClass = "LATER"
	RetryAcceptStale    RetryClass = "ACCEPT_STALE"
	RetryNever          RetryClass = "NEVER"
	RetryOutcomeUnknown RetryClass = "OUTCOME_UNKNOWN"
)

// The reasons.
const (
	ReasonInvalid       Reason = "INVALID"
	ReasonUnknownKind   Reason = "UNKNOWN_KIND"
	ReasonNotFound      Reason = "NOT_FOUND"
	ReasonAlreadyExists Reason = "ALREADY_EXISTS"
	ReasonConflict      Reason = "CONFLICT"
	ReasonCompacted     Reason = "COMPACTED"

	ReasonOwnerInvalid         Reason = "OWNER_INVALID"
	ReasonSectionForbidden     Reason = "SECTION_FORBIDDEN"
	ReasonNamespaceTerminating Reason = "NAMESPACE_TERMINATING"
	ReasonKindInUse            Reason = "KIND_IN_USE"
	ReasonTurnTooLarge         Reason = "TURN_TOO_LARGE"
	ReasonRequestExpired       Reason = "REQUEST_EXPIRED"
	ReasonTurnFault            Reason = "TURN_FAULT"
	ReasonInvariantViolated    Reason = "INVARIANT_VIOLATED"
	ReasonFeatureLevel         Reason = "FEATURE_LEVEL"

	ReasonNotLeader         Reason = "NOT_LEADER"
	ReasonEpochMismatch     Reason = "EPOCH_MISMATCH"
	ReasonNotHosted         Reason = "NOT_HOSTED"
	ReasonCanceled          Reason = "CANCELED"
	ReasonTimedOut          Reason = "TIMED_OUT"
	ReasonQueueSaturated    Reason = "QUEUE_SATURATED"
	ReasonSchedulerDegraded Reason = "SCHEDULER_DEGRADED"
	ReasonUnauthenticated   Reason = "UNAUTHENTICATED"
	ReasonForbidden         Reason = "FORBIDDEN"
	ReasonDiskPressure      Reason = "DISK_PRESSURE"
	ReasonQuotaExceeded     Reason = "QUOTA_EXCEEDED"
	ReasonOutcomeUnknown    Reason = "OUTCOME_UNKNOWN"
	ReasonTenureHeld        Reason = "TENURE_HELD"
	ReasonEraStale          Reason = "ERA_STALE"
	ReasonLineageMismatch   Reason = "LINEAGE_MISMATCH"
	ReasonNodeUnavailable   Reason = "NODE_UNAVAILABLE"
	ReasonNodeHeld          Reason = "NODE_HELD"
	ReasonCapacityExceeded  Reason = "CAPACITY_EXCEEDED"
	ReasonUnavailable       Reason = "UNAVAILABLE"
	ReasonShuttingDown      Reason = "SHUTTING_DOWN"

	ReasonViewUnavailable       Reason = "VIEW_UNAVAILABLE"
	ReasonViewOnly              Reason = "VIEW_ONLY"
	ReasonLeadershipUnconfirmed Reason = "LEADERSHIP_UNCONFIRMED"
	ReasonBootstrapRequired     Reason = "BOOTSTRAP_REQUIRED"
	ReasonRecovering            Reason = "RECOVERING"
	ReasonRootUnavailable       Reason = "ROOT_UNAVAILABLE"
	ReasonStalenessExceeded     Reason = "STALENESS_EXCEEDED"
	ReasonRootTokenNotReached   Reason = "ROOT_TOKEN_NOT_REACHED"
	ReasonRootLagExceeded       Reason = "ROOT_LAG_EXCEEDED"

	ReasonTokenConflict   Reason = "TOKEN_CONFLICT"
	ReasonHistoryMismatch Reason = "HISTORY_MISMATCH"
	ReasonClusterMismatch Reason = "CLUSTER_MISMATCH"
	ReasonMemberExists    Reason = "MEMBER_EXISTS"
	ReasonNotAMember      Reason = "NOT_A_MEMBER"
	ReasonNotCaughtUp     Reason = "NOT_CAUGHT_UP"
	ReasonQuorumAtRisk    Reason = "QUORUM_AT_RISK"
	ReasonDataCorrupt     Reason = "DATA_CORRUPT"
	ReasonDataForeign     Reason = "DATA_FOREIGN"
	ReasonDataLocked      Reason = "DATA_LOCKED"
	ReasonDiskFailed      Reason = "DISK_FAILED"
	ReasonAddressInUse    Reason = "ADDRESS_IN_USE"

	ReasonReplayUnavailable Reason = "REPLAY_UNAVAILABLE"
	ReasonDecisionDiffers   Reason = "DECISION_DIFFERS"

	ReasonWaitTimedOut     Reason = "WAIT_TIMED_OUT"
	ReasonDifferencesExist Reason = "DIFFERENCES_EXIST"
	ReasonUsage            Reason = "USAGE"
	ReasonUnimplemented    Reason = "UNIMPLEMENTED"
	ReasonInternal         Reason = "INTERNAL"
)

// Exit codes of the command line.
const (
	ExitDone           = 0
	ExitError          = 1
	ExitUsage          = 2
	ExitNotFound       = 3
	ExitConflict       = 4
	ExitUnavailable    = 5
	ExitOutcomeUnknown = 6
	ExitFreshness      = 7
	ExitViolated       = 8
	ExitTimedOut       = 9
	ExitDifferent      = 10
)

// Disposition is everything that follows from a reason. Code is a gRPC status
// code's number; the root package imports no gRPC.
type Disposition struct {
	Code  uint32
	HTTP  int
	Exit  int
	Retry RetryClass
}

// Disposition of the reason. A reason that this build does not know (a newer
// server's) is INTERNAL's.
func (r Reason) Disposition() Disposition {
	if d, ok := dispositions[r]; ok {
		return d
	}
	return dispositions[ReasonInternal]
}

// Known says whether this build knows the reason.
func (r Reason) Known() bool {
	_, ok := dispositions[r]
	return ok
}

// gRPC status codes by number.
const (
	canceled           = 1
	unknown            = 2
	invalidArgument    = 3
	deadlineExceeded   = 4
	notFound           = 5
	alreadyExists      = 6
	permissionDenied   = 7
	resourceExhausted  = 8
	failedPrecondition = 9
	aborted            = 10
	outOfRange         = 11
	unimplemented      = 12
	internal           = 13
	unavailable        = 14
	dataLoss           = 15
	unauthenticated    = 16
)

// The one table from reason to everything that a caller may act on. Exit 5
// says "surely not done"; whatever may have been done is OUTCOME_UNKNOWN.
var dispositions = map[Reason]Disposition{
	ReasonInvalid:       {invalidArgument, 400, ExitError, RetryNever},
	ReasonUnknownKind:   {notFound, 404, ExitError, RetryNever},
	ReasonNotFound:      {notFound, 404, ExitNotFound, RetryNever},
	ReasonAlreadyExists: {alreadyExists, 409, ExitConflict, RetryNever},
	ReasonConflict:      {aborted, 409, ExitConflict, RetryNever},
	ReasonCompacted:     {outOfRange, 410, ExitError, RetryNever},

	ReasonOwnerInvalid:         {failedPrecondition, 422, ExitError, RetryNever},
	ReasonSectionForbidden:     {failedPrecondition, 422, ExitError, RetryNever},
	ReasonNamespaceTerminating: {failedPrecondition, 409, ExitConflict, RetryNever},
	ReasonKindInUse:            {failedPrecondition, 409, ExitConflict, RetryNever},
	ReasonTurnTooLarge:         {invalidArgument, 413, ExitError, RetryNever},
	ReasonRequestExpired:       {failedPrecondition, 409, ExitUnavailable, RetryNever},
	ReasonTurnFault:            {internal, 500, ExitError, RetryNever},
	ReasonInvariantViolated:    {failedPrecondition, 500, ExitViolated, RetryNever},
	ReasonFeatureLevel:         {failedPrecondition, 409, ExitError, RetryNever},

	ReasonNotLeader:         {unavailable, 503, ExitUnavailable, RetryLeader},
	ReasonEpochMismatch:     {failedPrecondition, 409, ExitConflict, RetryNever},
	ReasonNotHosted:         {unavailable, 503, ExitUnavailable, RetryOtherNode},
	ReasonCanceled:          {canceled, 499, ExitUnavailable, RetryNever},
	ReasonTimedOut:          {deadlineExceeded, 504, ExitUnavailable, RetryLater},
	ReasonQueueSaturated:    {resourceExhausted, 429, ExitUnavailable, RetryLater},
	ReasonSchedulerDegraded: {unavailable, 503, ExitUnavailable, RetryLater},
	ReasonTenureHeld:        {aborted, 409, ExitConflict, RetryLater},
	ReasonEraStale:          {failedPrecondition, 409, ExitConflict, RetryNever},
	ReasonLineageMismatch:   {aborted, 409, ExitConflict, RetryNever},
	ReasonNodeUnavailable:   {failedPrecondition, 409, ExitConflict, RetryNever},
	ReasonNodeHeld:          {aborted, 409, ExitConflict, RetryLater},
	ReasonCapacityExceeded:  {failedPrecondition, 409, ExitConflict, RetryNever},
	ReasonUnauthenticated:   {unauthenticated, 401, ExitError, RetryNever},
	ReasonForbidden:         {permissionDenied, 403, ExitError, RetryNever},
	ReasonDiskPressure:      {resourceExhausted, 507, ExitUnavailable, RetryLater},
	ReasonQuotaExceeded:     {resourceExhausted, 507, ExitUnavailable, RetryLater},
	ReasonOutcomeUnknown:    {unknown, 504, ExitOutcomeUnknown, RetryOutcomeUnknown},
	ReasonUnavailable:       {unavailable, 503, ExitUnavailable, RetryOtherNode},
	ReasonShuttingDown:      {unavailable, 503, ExitUnavailable, RetryOtherNode},

	ReasonViewUnavailable:       {unavailable, 503, ExitFreshness, RetryOtherNode},
	ReasonViewOnly:              {unavailable, 503, ExitFreshness, RetryOtherNode},
	ReasonLeadershipUnconfirmed: {unavailable, 503, ExitFreshness, RetryLeader},
	ReasonBootstrapRequired:     {unavailable, 503, ExitFreshness, RetryOtherNode},
	ReasonRecovering:            {unavailable, 503, ExitFreshness, RetryOtherNode},
	ReasonRootUnavailable:       {unavailable, 503, ExitFreshness, RetryAcceptStale},
	ReasonStalenessExceeded:     {unavailable, 503, ExitFreshness, RetryOtherNode},
	ReasonRootTokenNotReached:   {unavailable, 503, ExitFreshness, RetryWaitForToken},
	ReasonRootLagExceeded:       {unavailable, 503, ExitFreshness, RetryOtherNode},

	ReasonTokenConflict:   {dataLoss, 500, ExitViolated, RetryNever},
	ReasonHistoryMismatch: {failedPrecondition, 409, ExitError, RetryNever},
	ReasonClusterMismatch: {failedPrecondition, 409, ExitError, RetryNever},
	ReasonMemberExists:    {alreadyExists, 409, ExitConflict, RetryNever},
	ReasonNotAMember:      {notFound, 404, ExitNotFound, RetryNever},
	ReasonNotCaughtUp:     {failedPrecondition, 409, ExitUnavailable, RetryLater},
	ReasonQuorumAtRisk:    {failedPrecondition, 409, ExitError, RetryNever},
	ReasonDataCorrupt:     {dataLoss, 500, ExitViolated, RetryNever},
	ReasonDataForeign:     {failedPrecondition, 500, ExitError, RetryNever},
	ReasonDataLocked:      {failedPrecondition, 500, ExitError, RetryNever},
	ReasonDiskFailed:      {unavailable, 503, ExitUnavailable, RetryOtherNode},
	ReasonAddressInUse:    {failedPrecondition, 500, ExitError, RetryNever},

	ReasonReplayUnavailable: {failedPrecondition, 409, ExitError, RetryNever},
	ReasonDecisionDiffers:   {dataLoss, 500, ExitViolated, RetryNever},

	ReasonWaitTimedOut:     {deadlineExceeded, 504, ExitTimedOut, RetryNever},
	ReasonDifferencesExist: {failedPrecondition, 409, ExitDifferent, RetryNever},
	ReasonUsage:            {invalidArgument, 400, ExitUsage, RetryNever},
	ReasonUnimplemented:    {unimplemented, 501, ExitError, RetryNever},
	ReasonInternal:         {internal, 500, ExitError, RetryNever},
}
