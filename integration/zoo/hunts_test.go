//go:build zoo

package zoo_test

import "github.com/candor-plane/candor/internal/zoo"

const (
	replays    = "answers equal replay"
	turns      = "each write has its turn"
	realTime   = "revisions follow real time"
	registers  = "registers are linearizable without tokens"
	contract   = "witnesses keep the contract"
	claimed    = "claimed staleness bounds are true"
	asked      = "bounded reads keep the bound asked for"
	sessions   = "session: monotonic reads|session: read your writes|session: monotonic writes|session: writes follow reads"
	digests    = "SameDigestAtSameIndex"
	beliefs    = "belief|one holder at a time believes that it holds a duty"
	ordered    = "watches are ordered, unique and atomic"
	whole      = "watches leave nothing out"
	onceEach   = "nothing is there that nobody wrote, and nothing twice"
	handedOnce = "numbers are handed out once, by their era|no number twice|within the seal|eras inherit"
)

// hunts are how each mistake is found.
var hunts = []hunt{
	{name: zoo.SkipFence, by: "SealedIsSilent", seeds: 400, fast: true},
	{name: zoo.GrantWhileHeld, by: model + "|belief", models: []string{"belief"}, seeds: 400},
	{name: zoo.SealBelowUsage, by: model + "|FrontierCovered", models: []string{"late ids"}, seeds: 400},
	{name: zoo.InheritNothing, by: model + "|FrontierCovered", models: []string{"late ids"}, seeds: 400, fast: true},
	{name: zoo.IgnoreDrift, by: model + "|" + beliefs, seeds: 2000},
	{name: zoo.BelieveForEver, by: model + "|" + beliefs, models: []string{"belief"}, seeds: 400},
	{name: zoo.MapOrder, by: digests, seeds: 400, fast: true},
	{name: zoo.SnapshotForgets, by: "snapshot", seeds: 100, fast: true},
	{name: zoo.SnapshotOmitsField, by: digests, seeds: 1000},
	{name: zoo.LoseOrphans, by: digests + "|deletions end", seeds: 1000},
	{name: zoo.DedupOff, by: replays + "|" + turns, seeds: 400, fast: true},
	{name: zoo.ForgetEarly, by: replays + "|" + turns, seeds: 400},
	{name: zoo.ExpireLate, by: replays + "|" + turns, seeds: 1000},
	{name: zoo.ReplayNow, by: turns, seeds: 400},
	{name: zoo.IgnorePrecondition, by: replays, drills: []string{"crowd"}},
	{name: zoo.HalfTransaction, by: replays, seeds: 400},
	{name: zoo.FailedTurnCounts, by: "watch events", seeds: 100},
	{name: zoo.IgnoreFinalizers, by: "FinalizersHold|finalizers hold", seeds: 400},
	{name: zoo.CascadeStops, by: "deletions end", seeds: 400},
	{name: zoo.FloorTooHigh, by: "list + watch = state|watch events", seeds: 3000},
	{name: zoo.PastIsNow, by: "list + watch = state", seeds: 400},
	{name: zoo.CapacityUnseen, by: "CapacityNotExceeded", seeds: 400, fast: true},
	{name: zoo.ClosedNodeTakes, by: "ClosedNodesTakeNothing|a closed node takes nothing new", seeds: 3000},
	{name: zoo.WallTime, by: "belief", seeds: 800},
	{name: zoo.TimeGoesBack, by: "MonotonicToken", seeds: 100},
	{name: zoo.AdmitEndedChange, by: "NoHiddenDrop|ForwardOnlyOutcome", seeds: 100},

	{name: zoo.AckBeforeCommit, by: replays + "|" + turns + "|" + realTime + "|" + registers, drills: []string{"crowd"}, tries: 3},
	{name: zoo.SwapAnswers, by: replays + "|" + turns, drills: []string{"crowd"}},
	{name: zoo.SkipConfirm, by: realTime + "|" + registers, drills: []string{"stuck-leader"}, tries: 3},
	{name: zoo.ConfirmTwice, by: realTime + "|" + registers, drills: []string{"stuck-leader"}, tries: 3},
	{name: zoo.ProofFromReceipt, by: claimed + "|" + asked, drills: []string{"followers"}, tries: 2},
	{name: zoo.LagZeroUnknown, by: contract, drills: []string{"nothing-heard"}, tries: 4},
	{name: zoo.BestEffortFresh, by: contract, drills: []string{"nothing-heard"}, tries: 4},
	{name: zoo.IgnoreRequired, by: contract + "|" + sessions, drills: []string{"followers"}},
	{name: zoo.SplitTurn, by: ordered + "|" + whole, drills: []string{"watched"}},
	{name: zoo.ResumeSkips, by: whole + "|" + ordered, drills: []string{"watched"}, tries: 2},
	{name: zoo.ResumeRepeats, by: ordered, drills: []string{"watched"}, tries: 2},
	{name: zoo.BookmarkAhead, by: whole + "|" + ordered, drills: []string{"watched-cuts"}, tries: 2},

	{name: zoo.HandOutUnreserved, by: handedOnce, seeds: 400},
	{name: zoo.WindowGoesOn, by: handedOnce, seeds: 400},
	{name: zoo.RandomTieBreak, by: "DecisionReplays", seeds: 1000},
	{name: zoo.SessionNotRaised, by: sessions, drills: []string{"followers"}},
	{name: zoo.RetryAsNew, by: onceEach + "|" + replays + "|" + turns, drills: []string{"lost-answers"}, tries: 2},
}
