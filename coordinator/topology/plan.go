package topology

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor"
)

// Plan says which steps a change takes on a configuration, each judged on what the
// steps before it leave. A refusal is an Error of reason
//   - INVALID: the change means nothing;
//   - NOT_A_MEMBER: it is about a server that is none;
//   - MEMBER_EXISTS: the address belongs to another member;
//   - NOT_CAUGHT_UP: the server has not shown that its view holds everything
//     acknowledged, or, to lead, does not answer or has no vote;
//   - CONFLICT: the server that shall lead holds another state than the majority;
//   - QUORUM_AT_RISK: too few voters would answer, with the arithmetic.
//
// force overrides QUORUM_AT_RISK alone, and never removes the last voter. A
// replacement's catching up is waited for when its step runs, not here.
func Plan(ch Change, c Configuration, force bool) (Proposal, *candor.Error) {
	if err := ch.check(); err != nil {
		return Proposal{}, err
	}
	p := planner{now: c, force: force, index: c.Index, proposal: Proposal{Change: ch}}
	if err := p.plan(); err != nil {
		return Proposal{}, err
	}
	p.proposal.Risk = strings.Join(p.risks, "; ")
	return p.proposal, nil
}

// Risk says in one sentence what forcing a change would risk; empty where it would
// override nothing, be it that the change is allowed or that it is refused for good.
func Risk(ch Change, c Configuration) string {
	p, err := Plan(ch, c, true)
	if err != nil {
		return ""
	}
	return p.Risk
}

// planner takes steps on the configuration that the steps before it leave.
type planner struct {
	now      Configuration
	index    uint64
	force    bool
	risks    []string
	proposal Proposal
}

func (p *planner) plan() *candor.Error {
	ch := &p.proposal.Change
	switch ch.Kind {
	case Add:
		return p.add(ch.Server, ch.Address)
	case Promote:
		return p.promote(ch.Server, true)
	case Remove:
		return p.remove(ch.Server)
	case Replace:
		return p.replace(ch)
	case Transfer:
		return p.transfer(ch)
	default:
		return candor.Errorf(candor.ReasonInvalid, "%q is no change of members", string(ch.Kind))
	}
}

func (p *planner) add(server, address string) *candor.Error {
	if at, found := p.now.at(address); found && at.ID != server {
		return refuse(candor.ReasonMemberExists, at.ID, "address %s belongs to member %s: remove or replace that", address, at.ID)
	}
	if member, found := p.now.Find(server); found && member.Address == address {
		return nil
	}
	return p.take(Step{Kind: Add, Server: server, Address: address})
}

// promote gives a vote. proven says that the server must have caught up by now;
// otherwise it must when the step runs.
func (p *planner) promote(server string, proven bool) *candor.Error {
	member, found := p.now.Find(server)
	switch {
	case !found:
		return p.notAMember(server)
	case member.Voter:
		return nil
	case !proven:
	case !member.Answers:
		return refuse(candor.ReasonNotCaughtUp, server, "server %s does not answer: nobody knows how far its view is", server)
	case p.now.Proven == 0:
		return refuse(candor.ReasonNotCaughtUp, server, "it is not known how far the root is: server %s has applied index %d", server, member.Applied)
	case !p.now.caughtUp(member):
		return refuse(candor.ReasonNotCaughtUp, server, "server %s has applied index %d; the root is at %d", server, member.Applied, p.now.Proven)
	}
	return p.take(Step{Kind: Promote, Server: server, CaughtUp: true})
}

// remove takes a member out. One that leads hands over first.
func (p *planner) remove(server string) *candor.Error {
	member, found := p.now.Find(server)
	if !found {
		return p.notAMember(server)
	}
	step := Step{Kind: Remove, Server: server}
	if !member.Voter {
		return p.take(step)
	}
	// Judged before leadership moves, so that nothing moves for a removal that fails.
	if err := p.weigh(&step); err != nil {
		return err
	}
	if p.now.Leader == server {
		heir, found := p.now.heir(server)
		if !found {
			return refuse(candor.ReasonQuorumAtRisk, server, "server %s leads, and no other voter that answers may lead in its place", server)
		}
		if err := p.take(Step{Kind: Transfer, Server: heir.ID}); err != nil {
			return err
		}
	}
	p.push(step)
	return nil
}

// replace adds, promotes and removes, in the order that keeps the most votes. Two
// members cannot share an address: a newcomer that takes the old one's comes after it
// has gone.
func (p *planner) replace(ch *Change) *candor.Error {
	old, found := p.now.Find(ch.Server)
	with, known := p.now.Find(ch.With)
	if ch.Address == "" {
		ch.Address = with.Address
	}
	switch {
	case !found && !ch.Begun:
		return p.notAMember(ch.Server)
	case !known && ch.Address == "":
		return p.notAMember(ch.With)
	case found:
		ch.Nonvoter = !old.Voter
	}
	before := found && old.Address == ch.Address
	if before {
		if err := p.remove(ch.Server); err != nil {
			return err
		}
	}
	if err := p.add(ch.With, ch.Address); err != nil {
		return err
	}
	if !ch.Nonvoter {
		if err := p.promote(ch.With, false); err != nil {
			return err
		}
	}
	if found && !before {
		return p.remove(ch.Server)
	}
	return nil
}

func (p *planner) transfer(ch *Change) *candor.Error {
	if ch.Server == "" {
		heir, found := p.now.heir(p.now.Leader)
		if !found {
			return refuse(candor.ReasonQuorumAtRisk, p.now.Leader, "no other voter that answers may lead")
		}
		ch.Server = heir.ID
	}
	member, found := p.now.Find(ch.Server)
	switch {
	case !found:
		return p.notAMember(ch.Server)
	case p.now.Leader == ch.Server:
		return nil
	case !member.Voter:
		return refuse(candor.ReasonNotCaughtUp, ch.Server, "server %s has no vote: promote it first", ch.Server)
	case !member.Answers:
		return refuse(candor.ReasonNotCaughtUp, ch.Server, "server %s does not answer: it cannot take over", ch.Server)
	case member.Differs:
		return refuse(candor.ReasonConflict, ch.Server, "the state of server %s differs from the majority's: it may not lead", ch.Server)
	}
	return p.take(Step{Kind: Transfer, Server: ch.Server})
}

// take weighs a step and adds it.
func (p *planner) take(s Step) *candor.Error {
	if err := p.weigh(&s); err != nil {
		return err
	}
	p.push(s)
	return nil
}

// weigh refuses a step that costs the quorum, or notes what it risks when forced.
func (p *planner) weigh(s *Step) *candor.Error {
	s.Quorum = p.now.quorum(s)
	err := p.now.atRisk(s)
	if err == nil {
		return nil
	}
	if !p.force || s.Quorum.VotersAfter == 0 {
		return err
	}
	p.risks = append(p.risks, fmt.Sprintf("forcing %s of %s leaves %s of which %s where a quorum takes %d: no write and no strong read succeeds until %s, and if they never do, only candor cluster recover helps, which may lose acknowledged writes",
		s.Kind, s.Server, counted(s.Quorum.VotersAfter, "voter", "voters"), counted(s.Quorum.AnswerAfter, "answers", "answer"),
		Majority(s.Quorum.VotersAfter), counted(-s.Quorum.Spare(), "more answers", "more answer")))
	return nil
}

func (p *planner) push(s Step) {
	s.Configuration = p.index
	p.proposal.Steps = append(p.proposal.Steps, s)
	p.now = p.now.with(&s)
	if s.Kind != Transfer {
		p.index = 0
	}
}

func (p *planner) notAMember(server string) *candor.Error {
	return refuse(candor.ReasonNotAMember, server, "server %s is no member of configuration %d", server, p.now.Index)
}
