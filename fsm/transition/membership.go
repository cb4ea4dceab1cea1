package transition

import "github.com/candor-plane/candor"

// The kinds of membership change. Their target is a server ID. Their truth is in the
// root's own configuration entries, and in who began to lead; nobody asserts it.
const (
	// MemberAdd brings a server in without a vote, or moves it to another address.
	MemberAdd Kind = "member-add"
	// MemberPromote gives a member its vote.
	MemberPromote Kind = "member-promote"
	// MemberRemove takes a member out.
	MemberRemove Kind = "member-remove"
	// MemberReplace brings one in for the target, which goes.
	MemberReplace Kind = "member-replace"
	// LeaderTransfer makes the target lead.
	LeaderTransfer Kind = "leader-transfer"
)

// Derived says whether the root itself shows when a transition of the kind has
// happened.
func (k Kind) Derived() bool {
	switch k {
	case MemberAdd, MemberPromote, MemberRemove, MemberReplace, LeaderTransfer:
		return true
	default:
		return false
	}
}

// Membership is the intent of a membership change.
type Membership struct {
	// Address is the newcomer's Raft address: the target's of an add, With's of a
	// replacement.
	Address string
	// With is the server ID that replaces the target.
	With string
	// Nonvoter says that the replacement stays without a vote, as the target was.
	Nonvoter bool
	// Force says that a risk to the quorum was accepted.
	Force bool
}

// Intent is the JSON of a plan, the same bytes for the same change.
func (m Membership) Intent() []byte {
	w := writer{}
	w.text("address", m.Address)
	w.text("with", m.With)
	w.flag("nonvoter", m.Nonvoter)
	w.flag("force", m.Force)
	return w.object()
}

// ReadMembership reads what Intent wrote. Otherwise the error's reason is
// DATA_CORRUPT.
func ReadMembership(intent []byte) (Membership, *candor.Error) {
	r := reader{object: intent}
	m := Membership{Address: r.text("address"), With: r.text("with"), Nonvoter: r.flag("nonvoter"), Force: r.flag("force")}
	if r.wrong != "" {
		return Membership{}, candor.Errorf(candor.ReasonDataCorrupt, "membership intent: member %q cannot be read", r.wrong)
	}
	return m, nil
}

// Server is one member of a configuration.
type Server struct {
	ID, Address string
	Voter       bool
}

// Configuration is who the members are as of the log entry at Index, and who leads;
// Leader is empty where nobody does.
type Configuration struct {
	Index   uint64
	Servers []Server
	Leader  string
}

func (c *Configuration) find(id string) (Server, bool) {
	for _, s := range c.Servers {
		if s.ID == id {
			return s, true
		}
	}
	return Server{}, false
}

// Satisfied says whether the configuration shows that the change has happened. One
// without an index or without members shows nothing.
func Satisfied(kind Kind, target string, m Membership, c Configuration) bool {
	if c.Index == 0 || len(c.Servers) == 0 {
		return false
	}
	server, member := c.find(target)
	switch kind {
	case MemberAdd:
		return member && (m.Address == "" || m.Address == server.Address)
	case MemberPromote:
		return member && server.Voter
	case MemberRemove:
		return !member
	case MemberReplace:
		with, found := c.find(m.With)
		return !member && found && (with.Voter || m.Nonvoter) && (m.Address == "" || m.Address == with.Address)
	case LeaderTransfer:
		return target != "" && c.Leader == target
	default:
		return false
	}
}

// Observe notes in a pending record that the root shows its intent to hold; what was
// shown once stays so, since leaders come and go. at is the log index that showed it:
// of a configuration, or of a leader's first command. The state machine calls it for
// what is pending whenever either changes.
func Observe(entry Entry, kind Kind, target string, m Membership, c Configuration, at uint64) Entry {
	if p := &entry.Pending; !p.IsZero() && p.Shown == 0 && Satisfied(kind, target, m, c) {
		p.Shown = at
	}
	return entry
}
