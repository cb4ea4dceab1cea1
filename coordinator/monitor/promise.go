package monitor

import (
	"slices"
	"time"
)

// Promise names what should hold.
type Promise string

// The promises. Those of the first group are about time.
const (
	// PendingIsPlaced: a pending instance that some node could take is placed.
	PendingIsPlaced Promise = "PendingIsPlaced"
	// DesiredIsPossible: what a workload asks for fits somewhere.
	DesiredIsPossible Promise = "DesiredIsPossible"
	// DesiredIsReal: a workload has its replicas, of its template, and they are ready.
	DesiredIsReal Promise = "DesiredIsReal"
	// ChangeIsSeen: controllers have looked at the newest spec.
	ChangeIsSeen Promise = "ChangeIsSeen"
	// DrainEmpties: a drained node becomes empty.
	DrainEmpties Promise = "DrainEmpties"
	// StopEnds: an instance that was asked to end is gone.
	StopEnds Promise = "StopEnds"
	// SilenceIsNoticed: a node that nobody hears of is not Ready.
	SilenceIsNoticed Promise = "SilenceIsNoticed"
	// BeatIsNoticed: a node that is heard of is Ready.
	BeatIsNoticed Promise = "BeatIsNoticed"
	// SilentNodeIsLeft: what was on a silent node is given up, as its policy says.
	SilentNodeIsLeft Promise = "SilentNodeIsLeft"
	// SilentNodeIsClosed: a silent node takes nothing new until it is opened, as its policy
	// says.
	SilentNodeIsClosed Promise = "SilentNodeIsClosed"
	// CapacityCovers: a node has what its instances hold.
	CapacityCovers Promise = "CapacityCovers"
	// BudgetCounts: a disruption budget's counts are those of its instances.
	BudgetCounts Promise = "BudgetCounts"
	// NominatedNodeExists: the node that is made free for an instance is there.
	NominatedNodeExists Promise = "NominatedNodeExists"
	// OwnersExist: an object whose owners are gone goes too.
	OwnersExist Promise = "OwnersExist"
	// HandoverEnds: an era that was sealed is confirmed and closed.
	HandoverEnds Promise = "HandoverEnds"
	// TransitionMoves: a transition does not stand still past its deadline.
	TransitionMoves Promise = "TransitionMoves"
	// OneWriterPerField: no two writers set one field against each other.
	OneWriterPerField Promise = "OneWriterPerField"
	// EveryFindingIsShown: there are no more findings than are kept.
	EveryFindingIsShown Promise = "EveryFindingIsShown"

	// CapacityNotExceeded: no revision raises what is held of a node above what it has.
	CapacityNotExceeded Promise = "CapacityNotExceeded"
	// OneLivePlacementPerInstance: an instance gets its place once, and leaves no end.
	OneLivePlacementPerInstance Promise = "OneLivePlacementPerInstance"
	// LabelNamesNode: the label candor/node of an instance names the node of its place.
	LabelNamesNode Promise = "LabelNamesNode"
	// DistinctOrdinals: no two instances of a workload have one number.
	DistinctOrdinals Promise = "DistinctOrdinals"
	// DecisionReplays: deciding again on the same state gives the same.
	DecisionReplays Promise = "DecisionReplays"
)

var safety = []Promise{CapacityNotExceeded, OneLivePlacementPerInstance, LabelNamesNode, DistinctOrdinals, DecisionReplays}

// Safety says that the promise should be impossible to break.
func (p Promise) Safety() bool { return slices.Contains(safety, p) }

// The bounds that no policy and no spec sets.
const (
	// Reaction is how soon a duty does what it can do at once.
	Reaction = 10 * time.Second
	// Possibility is how soon what is desired is to be possible.
	Possibility = time.Minute
	// Drainage is how long a drained node may keep as many instances as it has, beyond
	// their grace.
	Drainage = 2 * time.Minute
	// Collection is how soon dependents follow their owners.
	Collection = 30 * time.Second
	// Handover is how soon the handover of an era ends.
	Handover = time.Minute
	// incident is for how long something is shown that happened and is over.
	incident = 10 * time.Minute
)

// DefaultDeadline is a rollout's where its workload names none.
const DefaultDeadline = 600 * time.Second

// DefaultGrace is an instance's where its template names none.
const DefaultGrace = 10 * time.Second
