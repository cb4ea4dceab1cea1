package topology

import "github.com/candor-plane/candor"

// Kind is what a change does. The words are the transition kinds of docs/protocol.md,
// section 8.
type Kind string

// The kinds.
const (
	// Add brings a server in without a vote, or moves a member to another address.
	Add Kind = "member-add"
	// Promote gives a member its vote once it has caught up.
	Promote Kind = "member-promote"
	// Remove takes a member out.
	Remove Kind = "member-remove"
	// Replace brings one in for another, which goes. Its steps are of the other kinds.
	Replace Kind = "member-replace"
	// Transfer makes a voter lead.
	Transfer Kind = "leader-transfer"
)

// Change is what somebody asks of the members.
type Change struct {
	Kind Kind
	// Server is who is added, promoted, removed, replaced, or to lead. Empty in a
	// transfer, it is whoever is fittest.
	Server string
	// Address is the newcomer's: that of Server in Add, of With in Replace. Empty in a
	// replacement, With must be a member already.
	Address string
	// With is who comes for Server.
	With string
	// Nonvoter says that With stays without a vote; Plan sets it as Server has it.
	Nonvoter bool
	// Begun says that the change was planned before, so that a replaced server which is
	// gone is a step that is done.
	Begun bool
}

// Step is one transition of a plan.
type Step struct {
	Kind    Kind
	Server  string
	Address string
	// Configuration is the index that the members must be of when the step runs. 0 is
	// the index that the step before it leaves, which is not known yet.
	Configuration uint64
	// CaughtUp says that the server must have shown first that its view holds
	// everything acknowledged.
	CaughtUp bool
	// Quorum is what the step does to the votes, as far as is known now.
	Quorum Quorum
}

// Proposal is a change that may be made.
type Proposal struct {
	// Change is the one asked for with what Plan chose: who shall lead, and whether the
	// replacement votes. It is what a transition's intent holds.
	Change Change
	// Steps come one after another. None means that it is so already.
	Steps []Step
	// Risk is what forcing made of it, in one sentence; empty where nothing was forced.
	Risk string
}

// check refuses what no configuration would allow.
func (ch *Change) check() *candor.Error {
	switch ch.Kind {
	case Add:
		if ch.Server == "" || ch.Address == "" {
			return candor.Errorf(candor.ReasonInvalid, "member-add: want a server ID and an address, have %q at %q", ch.Server, ch.Address)
		}
	case Promote, Remove:
		if ch.Server == "" {
			return candor.Errorf(candor.ReasonInvalid, "%s: want a server ID", ch.Kind)
		}
	case Replace:
		if ch.Server == "" || ch.With == "" || ch.Server == ch.With {
			return candor.Errorf(candor.ReasonInvalid, "member-replace: want two server IDs, have %q and %q: a server whose disk is gone has a new one", ch.Server, ch.With)
		}
	case Transfer:
	default:
		return candor.Errorf(candor.ReasonInvalid, "%q is no change of members", string(ch.Kind))
	}
	return nil
}
