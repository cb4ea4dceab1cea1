package integration

import (
	"testing"

	"github.com/candor-plane/candor/client"
)

// TestANonVoterProvesNothingForItsLeader: alone it serves what it has; with a
// leader that lost the other voters it makes no majority.
func TestANonVoterProvesNothingForItsLeader(t *testing.T) {
	s := newScenario(t, 3)
	p := s.join()
	s.answers(s.ctx, s.k, p)
	s.wantMembers(s.ctx, s.k, 4, 3)
	s.traffic.at(s.cluster, p)
	leader, voters := s.leads(), others(s.names(), p.name)
	s.links.Part([]string{p.name}, voters)
	alone := s.last(brief)
	s.stillLeads(leader)
	s.mends(s.servers...)

	leader = s.leads()
	rest := others(voters, leader)
	s.links.Part([]string{leader, p.name}, rest)
	s.leadsBut(leader, p.name)
	together := s.last(brief)
	well := s.mends(s.servers...)
	s.wantMembers(s.ctx, s.k, 4, 3)
	h := s.judge()
	goesOn(t, h, alone, 30)
	cutOff(t, h, alone, p.name)
	healthy(t, h, alone, voters...)
	goesOn(t, h, together, 30)
	cutOff(t, h, together, leader)
	cutOff(t, h, together, p.name)
	healthy(t, h, together, rest...)
	healthy(t, h, well, s.names()...)
}

// TestARemovedServerServesNothingButItsView: it is removed while it is cut off,
// so that nobody told it, and disturbs nobody when it is back.
func TestARemovedServerServesNothingButItsView(t *testing.T) {
	s := newScenario(t, 3, calm...)
	leader, gone := s.leads(), s.aFollower()
	rest := others(s.names(), gone.name)
	s.links.Part([]string{gone.name}, rest)
	if _, err := s.k.Cluster().Remove(s.ctx, gone.name, client.RemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	s.wantMembers(s.ctx, s.k, 2, 2)
	away := s.last(long)
	s.stillLeads(leader)
	s.links.HealAll()
	back := s.last(brief)
	s.stillLeads(leader)
	h := s.judge()
	goesOn(t, h, away, 30)
	goesOn(t, h, back, 30)
	cutOff(t, h, away, gone.name)
	silent(t, h, back, gone.name)
	healthy(t, h, away, rest...)
	healthy(t, h, back, rest...)
}
