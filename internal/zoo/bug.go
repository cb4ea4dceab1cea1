package zoo

// Name of a mistake.
type Name string

// A Bug is a mistake that can be made again.
type Bug struct {
	Name Name
	// Where is the package that it is made in.
	Where string
	// Mistake says what is done wrong, Harm what that does to somebody.
	Mistake, Harm string
}

// The mistakes of the root's state machine.
const (
	SkipFence          Name = "skip-fence"
	GrantWhileHeld     Name = "grant-while-held"
	SealBelowUsage     Name = "seal-below-usage"
	InheritNothing     Name = "inherit-nothing"
	IgnoreDrift        Name = "ignore-drift"
	BelieveForEver     Name = "believe-for-ever"
	MapOrder           Name = "map-order"
	SnapshotForgets    Name = "snapshot-forgets-requests"
	SnapshotOmitsField Name = "snapshot-omits-field"
	LoseOrphans        Name = "restore-forgets-index"
	DedupOff           Name = "dedup-off"
	ForgetEarly        Name = "forget-requests-early"
	ExpireLate         Name = "expire-requests-late"
	ReplayNow          Name = "replay-tells-now"
	IgnorePrecondition Name = "ignore-precondition"
	HalfTransaction    Name = "half-transaction"
	FailedTurnCounts   Name = "failed-turn-takes-revision"
	IgnoreFinalizers   Name = "ignore-finalizers"
	CascadeStops       Name = "cascade-skips-last-page"
	FloorTooHigh       Name = "compact-too-much"
	PastIsNow          Name = "past-is-now"
	CapacityUnseen     Name = "capacity-unseen"
	ClosedNodeTakes    Name = "closed-node-takes"
	WallTime           Name = "cluster-time-from-wall-clock"
	TimeGoesBack       Name = "cluster-time-goes-back"
	AdmitEndedChange   Name = "ended-change-ends-again"
)

// The mistakes of servers.
const (
	AckBeforeCommit  Name = "ack-before-commit"
	SwapAnswers      Name = "swap-answers"
	SkipConfirm      Name = "skip-confirm"
	ConfirmTwice     Name = "confirm-counts-twice"
	ProofFromReceipt Name = "proof-from-receipt"
	LagZeroUnknown   Name = "lag-zero-when-unknown"
	BestEffortFresh  Name = "best-effort-labelled-fresh"
	IgnoreRequired   Name = "ignore-required-token"
	SplitTurn        Name = "watch-splits-turn"
	ResumeSkips      Name = "watch-resume-skips"
	ResumeRepeats    Name = "watch-resume-repeats"
	BookmarkAhead    Name = "bookmark-ahead"
)

// The mistakes of coordinators and of the client.
const (
	HandOutUnreserved Name = "hand-out-unreserved"
	WindowGoesOn      Name = "window-of-era-before"
	RandomTieBreak    Name = "random-tie-break"
	SessionNotRaised  Name = "session-not-raised"
	RetryAsNew        Name = "retry-as-new"
)

// Bugs are all there are.
func Bugs() []Bug {
	return []Bug{
		{SkipFence, "fsm", "a write under a tenure is not held against the active era", "what a deposed holder still sends is done, beside its successor's work"},
		{GrantWhileHeld, "fsm/tenure", "a campaign wins although another's era is active and not expired", "two nodes take themselves for the holder of one duty"},
		{SealBelowUsage, "fsm/tenure", "a takeover seals the era before at its start, not at its bound", "the successor hands out what the one before has handed out"},
		{InheritNothing, "fsm/tenure", "a new era starts from nothing", "every takeover hands out everything again"},
		{IgnoreDrift, "fsm/tenure", "a holder believes for the whole duration by its own clock", "one whose clock is slow believes after another was granted the duty"},
		{BelieveForEver, "fsm/tenure", "a holder's belief does not end", "a holder that is cut off goes on beside its successor"},
		{MapOrder, "fsm", "placements of one turn are judged in the order of a map", "replicas place otherwise, and are different clusters from then on"},
		{SnapshotForgets, "fsm", "a snapshot leaves out the remembered requests", "a write that is repeated after a restart is done twice"},
		{SnapshotOmitsField, "fsm", "a snapshot leaves out whose dependents a cascade deletes, and the digest with it", "a server that came back forgets the rest of a deletion"},
		{LoseOrphans, "fsm", "a restore does not rebuild the index of owners", "what an owner leaves is never deleted on a server that came back"},
		{DedupOff, "fsm", "a repeated request is done again", "a client that lost an answer writes twice"},
		{ForgetEarly, "fsm", "requests are forgotten two seconds before their time", "a client that lost an answer writes twice, when it waited a little"},
		{ExpireLate, "fsm", "a request is taken after its time, when its outcome is forgotten", "what hung in a network for minutes is done again"},
		{ReplayNow, "fsm", "a repeated request is answered with the position of now", "a client takes its write for later than it was, and another's for overwritten"},
		{IgnorePrecondition, "fsm", "the resource version of a write is not looked at", "two who change one object overwrite each other unseen"},
		{HalfTransaction, "fsm", "a transaction is done up to its middle", "a transfer takes, and does not give"},
		{FailedTurnCounts, "fsm", "a refused command takes a revision", "watches meet a revision in which nothing happened"},
		{IgnoreFinalizers, "fsm", "a deletion does not wait for finalizers", "what an object stands for outlives it, and nobody cleans up"},
		{CascadeStops, "fsm", "a cascade ends without its last page", "dependents stay whose owner is gone"},
		{FloorTooHigh, "fsm", "compaction takes away one revision more than it says", "a watch that resumes at the floor misses a change without knowing"},
		{PastIsNow, "fsm", "a read at an older revision shows the newest state", "pages of a list are of different moments"},
		{CapacityUnseen, "fsm", "what a node holds already counts for nothing, in the rule and in its invariant", "nodes are placed full over and over"},
		{ClosedNodeTakes, "fsm", "a node that is cordoned, or not ready, takes placements", "work goes to machines that are gone"},
		{WallTime, "fsm", "cluster time follows the leader's wall clock", "a clock that jumps ends every tenure at once, while holders believe"},
		{TimeGoesBack, "fsm", "cluster time is what the newest leader says", "what has expired is valid again"},
		{AdmitEndedChange, "fsm", "a change of members that has ended may end otherwise", "what was told to have failed was done, and the other way round"},

		{AckBeforeCommit, "server/replica", "a write is acknowledged before it is in the log", "whoever reads next does not see it, and a crash loses it"},
		{SwapAnswers, "server/replica", "commands of one log entry get one another's answers", "callers believe in writes that were refused"},
		{SkipConfirm, "server/replica", "a leader answers strong reads without asking a majority", "a leader that was deposed while it stood still answers from the past"},
		{ConfirmTwice, "server/replica", "a leader counts its own confirmation twice", "in a cluster of three, one alone is a majority"},
		{ProofFromReceipt, "server/replica", "a proof counts from its receipt, not from its asking", "a staleness bound is too small by the time that the answer took"},
		{LagZeroUnknown, "server/read", "a node that has heard nothing tells a lag of 0", "a follower that is cut off looks as if it missed nothing"},
		{BestEffortFresh, "server/read", "every best-effort answer is labelled as one with a bound", "nobody can tell an old answer from a proven one"},
		{IgnoreRequired, "server/read", "the token that a read requires is not waited for", "a client does not see its own write on another node"},
		{SplitTurn, "server/grpcapi", "the events of one turn come in two batches", "a watcher acts on half of a transaction"},
		{ResumeSkips, "server/grpcapi", "a watch that resumes begins one revision late", "a cache misses a change for ever"},
		{ResumeRepeats, "server/grpcapi", "a watch that resumes begins one revision early", "a consumer that counts on once counts twice"},
		{BookmarkAhead, "server/grpcapi", "a bookmark tells a revision that the stream has not come to", "a watch that resumes from it misses a change"},

		{HandOutUnreserved, "coordinator/allocator", "numbers are handed out beyond what is reserved", "after a crash the next holder hands them out again"},
		{WindowGoesOn, "coordinator/allocator", "an era begins in the window of the one before", "the last numbers before a takeover come twice"},
		{RandomTieBreak, "coordinator/scheduler", "equal nodes are told apart by chance", "a decision cannot be explained, or taken again"},
		{SessionNotRaised, "client", "a session does not learn from what was read", "the next read may show an older state"},
		{RetryAsNew, "client", "a write is repeated without its request ID", "a write whose answer was lost is done twice"},
	}
}
