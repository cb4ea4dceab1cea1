// Package command is the byte form of what the Raft log carries: entries of
// commands. The form is versioned, checksummed and pinned by golden bytes; it
// changes only with a feature level.
//
// The package decodes what it is given or refuses it with an Error of reason
// DATA_CORRUPT; it never guesses. server builds commands, fsm executes them.
package command

import (
	"encoding/json"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
)

// Type is what a command does.
type Type uint8

// The command types. The numbers are in logs: never change or reuse one.
const (
	TypeWrite       Type = 1
	TypeLeaderStart Type = 2
	TypeTick        Type = 3
	TypeCompact     Type = 4
	TypeCascadePage Type = 5
	TypeRaiseLevel  Type = 6
	TypeHello       Type = 7
	TypeOpenAccess  Type = 8
	TypeTenure      Type = 9
	TypeTransition  Type = 10
	TypePlacement   Type = 11
	TypeBeat        Type = 12
)

// String names the type for logs.
func (t Type) String() string {
	names := [...]string{"unknown", "Write", "LeaderStart", "Tick", "Compact", "CascadePage", "RaiseLevel", "Hello", "OpenAccess", "Tenure", "Transition", "Placement", "Beat"}
	if int(t) < len(names) {
		return names[t]
	}
	return names[0]
}

// Command is one turn's input. Which fields count depends on Type.
type Command struct {
	Type Type

	// Actor is who asks. With RequestID it names the request; NotAfter is the
	// cluster time from which the root refuses it, Digest binds its content.
	Actor     string
	RequestID string
	NotAfter  int64
	Digest    uint64

	// Verified says that the server which took the request authenticated Actor, by
	// the token named Accessor, or by a certificate where that is empty.
	Verified bool
	Accessor string
	// Asks are rights that the command takes besides those of its operations.
	Asks []policy.Ask

	// Duty and Era fence the command: it counts while that era is active and
	// Holder's. They are also provenance of the versions that it makes.
	Duty   string
	Era    uint64
	Holder string

	// Provenance of the versions that the command makes.
	ReadToken candor.Token
	Reason    string
	Message   string
	Because   *candor.VersionRef

	// TypeWrite: when every compare holds Then runs, otherwise Else; all
	// operations of the branch, or none.
	Compares []Compare
	Then     []Operation
	Else     []Operation

	// TypeLeaderStart: the new leader and its term. TypeHello: a member.
	Term       uint64
	ServerID   string
	ServerName string
	// APIAddress is where a member serves clients and peers.
	APIAddress string
	// TypeRaiseLevel: the new level. TypeHello: the highest supported.
	Level uint32
	// TypeCompact: the new floor.
	Revision uint64
	// TypeCascadePage: which cascade.
	CascadeID uint64
	// TypeTenure: what becomes of the tenure of Duty. Era is then the event's.
	Tenure TenureEvent
	// TypeTransition: what becomes of transitions.
	Transition TransitionEvent
	// TypePlacement: what the scheduler decided, fenced by its tenure.
	Placements []Placement
	// TypeBeat: which workers live.
	Beats []Beat
	// TypeOpenAccess: how often access control was opened before. Then makes the
	// objects that give somebody the first rights.
	Epoch uint64
}

// Verb is what an operation does to its object.
type Verb uint8

// The verbs. The numbers are in logs.
const (
	VerbCreate       Verb = 1
	VerbUpdate       Verb = 2
	VerbUpdateStatus Verb = 3
	VerbObserve      Verb = 4
	VerbDelete       Verb = 5
	VerbGet          Verb = 6
)

// String names the verb for people.
func (v Verb) String() string {
	names := [...]string{"unknown", "create", "update", "update-status", "observe", "delete", "get"}
	if int(v) < len(names) {
		return names[v]
	}
	return names[0]
}

// Operation acts on one object.
type Operation struct {
	Verb Verb
	Kind candor.KindName
	// KindRevision is that of the Kind object the operation was validated
	// against; 0 for operations that validate nothing.
	KindRevision uint64
	// Object carries create and update: names, uid, labels, annotations,
	// owners, finalizers and spec. ResourceVersion and UID of an update are
	// preconditions when set. Other verbs use Namespace, Name and the
	// preconditions beside them.
	Object          *candor.Object
	Namespace       string
	Name            string
	ResourceVersion uint64
	UID             string
	// Payload is the JSON of VerbUpdateStatus and VerbObserve; nil clears.
	Payload     json.RawMessage
	Propagation candor.Propagation
}

// Ref names the operation's object.
func (o *Operation) Ref() candor.Ref {
	if o.Object != nil {
		return candor.Ref{Kind: o.Kind, Namespace: o.Object.Metadata.Namespace, Name: o.Object.Metadata.Name}
	}
	return candor.Ref{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}
}

// Condition is what a compare asks.
type Condition uint8

// The conditions. The numbers are in logs.
const (
	IfExists          Condition = 1
	IfResourceVersion Condition = 2
	IfGeneration      Condition = 3
	IfUID             Condition = 4
	IfRootRevision    Condition = 5
)

// Compare is one condition of a transaction. Number holds the wanted
// revision, generation or, for IfExists, 1 or 0.
type Compare struct {
	Condition Condition
	Ref       candor.Ref
	Number    uint64
	UID       string
}

// LeaderStart is what every new leader proposes first: it proves that the
// state machine has reached the term, and fixes its cluster-time base.
func LeaderStart(term uint64, serverID string) *Command {
	return &Command{Type: TypeLeaderStart, Actor: "system", Term: term, ServerID: serverID}
}

// Tick only carries the entry's time stamp.
func Tick() *Command { return &Command{Type: TypeTick, Actor: "system"} }

// Compact raises the floor.
func Compact(revision uint64) *Command {
	return &Command{Type: TypeCompact, Actor: "system", Revision: revision}
}

// CascadePage advances one pending cascade by a bounded page.
func CascadePage(id uint64) *Command {
	return &Command{Type: TypeCascadePage, Actor: "system", CascadeID: id}
}

// RaiseLevel raises the replicated feature level.
func RaiseLevel(level uint32) *Command {
	return &Command{Type: TypeRaiseLevel, Actor: "system", Level: level}
}

// Hello records what a member says of itself: name, API address, and the
// highest level that it supports. Level 0 forgets the member.
func Hello(serverID, name, apiAddress string, level uint32) *Command {
	return &Command{Type: TypeHello, Actor: "system", ServerID: serverID, ServerName: name, APIAddress: apiAddress, Level: level}
}
