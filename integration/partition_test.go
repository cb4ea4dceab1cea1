package integration

import (
	"testing"
	"time"
)

const (
	// long lets every proof of before lapse, and the policy's window for labels.
	long = 3600 * time.Millisecond
	// brief lets a bound of the default lapse, and some refusals follow.
	brief = 3000 * time.Millisecond
)

// TestAnIsolatedLeaderServesNothingThatItCannotProve: the others elect another
// and go on.
func TestAnIsolatedLeaderServesNothingThatItCannotProve(t *testing.T) {
	isolateLeader(newScenario(t, 3))
}

// TestAnIsolatedLeaderBehindProxies is the same over the network that a run
// without rights has.
func TestAnIsolatedLeaderBehindProxies(t *testing.T) {
	t.Parallel()
	isolateLeader(newScenarioOver(t, linksOver(t, newProxies(t)), 3))
}

func isolateLeader(s *scenario) {
	old := s.leads()
	s.links.Part([]string{old}, others(s.names(), old))
	s.replaced(old, long)
}

// TestALeaderThatNobodyHearsServesNothingThatItCannotProve: it hears the others,
// its own messages are lost.
func TestALeaderThatNobodyHearsServesNothingThatItCannotProve(t *testing.T) {
	s := newScenario(t, 3)
	old := s.leads()
	for _, other := range others(s.names(), old) {
		s.links.Cut(old, other)
	}
	s.replaced(old, brief)
}

// TestALeaderThatHearsNobodyServesNothingThatItCannotProve: its messages arrive,
// the answers are lost.
func TestALeaderThatHearsNobodyServesNothingThatItCannotProve(t *testing.T) {
	s := newScenario(t, 3)
	old := s.leads()
	for _, other := range others(s.names(), old) {
		s.links.Cut(other, old)
	}
	s.replaced(old, brief)
}

// replaced wants the others to elect another leader and to go on, while the old
// one knows its place, and all to be well afterwards.
func (s *scenario) replaced(old string, lasting time.Duration) {
	s.t.Helper()
	s.leadsBut(old)
	w := s.last(lasting)
	well := s.mends(s.servers...)
	h := s.judge()
	goesOn(s.t, h, w, 30)
	cutOff(s.t, h, w, old)
	healthy(s.t, h, well, s.names()...)
}

// TestAnIsolatedFollowerServesNothingThatItCannotProve: nobody else notices.
func TestAnIsolatedFollowerServesNothingThatItCannotProve(t *testing.T) {
	s := newScenario(t, 3, calm...)
	leader, alone := s.leads(), s.aFollower().name
	s.links.Part([]string{alone}, others(s.names(), alone))
	s.kept(leader, long, alone)
}

// TestABridgeKeepsItsLeader: leader and one follower do not reach each other, and
// both reach the third.
func TestABridgeKeepsItsLeader(t *testing.T) {
	s := newScenario(t, 3, calm...)
	leader, far := s.leads(), s.aFollower().name
	s.links.Part([]string{leader}, []string{far})
	s.kept(leader, brief, far)
}

// TestARingKeepsItsLeader: of five servers, each reaches its two neighbours.
func TestARingKeepsItsLeader(t *testing.T) {
	s := newScenario(t, 5, calm...)
	leader, names := s.leads(), s.names()
	var far []string
	for i, a := range names {
		for j, b := range names {
			apart := (j - i + len(names)) % len(names)
			if apart == 1 || apart == len(names)-1 || apart == 0 {
				continue
			}
			if i < j {
				s.links.Part([]string{a}, []string{b})
			}
			if a == leader {
				far = append(far, b)
			}
		}
	}
	s.kept(leader, brief, far...)
}

// kept wants the leader to stay and to go on, while those without it know their
// place, and all to be well afterwards.
func (s *scenario) kept(leader string, lasting time.Duration, without ...string) {
	s.t.Helper()
	w := s.last(lasting)
	s.stillLeads(leader)
	well := s.mends(s.servers...)
	s.stillLeads(leader)
	h := s.judge()
	goesOn(s.t, h, w, 30)
	for _, name := range without {
		cutOff(s.t, h, w, name)
	}
	healthy(s.t, h, w, others(s.names(), without...)...)
	healthy(s.t, h, well, s.names()...)
}

// TestAFlappingLinkBreaksNoPromise: first between the leader and a follower, then
// between the leader and all.
func TestAFlappingLinkBreaksNoPromise(t *testing.T) {
	s := newScenario(t, 3)
	leader, follower := s.leads(), s.aFollower().name
	s.links.Flap(s.ctx, []string{leader}, []string{follower}, 6, 100*time.Millisecond, 100*time.Millisecond)
	leader = s.leads()
	s.links.Flap(s.ctx, []string{leader}, others(s.names(), leader), 4, 200*time.Millisecond, 150*time.Millisecond)
	well := s.mends(s.servers...)
	h := s.judge()
	healthy(t, h, well, s.names()...)
}
