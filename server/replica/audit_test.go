package replica

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/raft"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// auditor is an audit of s1's with a machine of its own.
type auditor struct {
	audit
	t       testing.TB
	machine *fsm.Machine
	servers []raft.Server
}

func newAuditor(t testing.TB, voters int) *auditor {
	a := &auditor{audit: audit{serverID: "s1"}, t: t, machine: fsm.New(fsm.Config{ClusterID: "c1"})}
	for i := range voters {
		a.servers = append(a.servers, raft.Server{ID: raft.ServerID(fmt.Sprint("s", i+1))})
	}
	return a
}

// applies has s1 apply one more entry.
func (a *auditor) applies() (index uint64) {
	index = a.machine.View().Token().Index + 1
	data := command.AppendEntry(nil, command.Entry{Term: 1, Commands: [][]byte{create(fmt.Sprint("n", index))}})
	a.machine.Apply([]fsm.Committed{{Term: 1, Index: index, Data: data}})
	return index
}

func (a *auditor) round() { a.begin(a.machine, a.servers) }

// own is s1's digest at an index, other a different one for each number.
func (a *auditor) own(index uint64) fsm.IndexDigest {
	d, ok := a.machine.DigestAt(index)
	if !ok {
		a.t.Fatalf("no digest at %d", index)
	}
	return d
}

func other(index uint64, number byte) fsm.IndexDigest {
	return fsm.IndexDigest{Index: index, Digest: fsm.Digest{0xee, number, byte(index)}}
}

// found is what the audit says, without the digest.
func (a *auditor) found() string {
	s := a.status()
	out := fmt.Sprintf("agreed %d, differing %v", s.Agreed.Index, s.Differing)
	if s.Alarm != "" {
		out += ", alarm"
	}
	return out
}

// TestStatesAreComparedByMajority, as a table: what each voter says of the index
// that s1 has just applied. 0 is s1's own state, - no answer.
func TestStatesAreComparedByMajority(t *testing.T) {
	for _, row := range []struct {
		says string
		want string
	}{
		{"0", "agreed 1, differing []"},
		{"00", "agreed 1, differing []"},
		{"01", "agreed 0, differing [], alarm"},
		{"000", "agreed 1, differing []"},
		{"00-", "agreed 1, differing []"},
		{"0-0", "agreed 1, differing []"},
		{"0--", "agreed 0, differing []"},
		{"001", "agreed 1, differing [s3]"},
		{"010", "agreed 1, differing [s2]"},
		// The leader itself is the one.
		{"011", "agreed 1, differing [s1]"},
		{"012", "agreed 0, differing [], alarm"},
		{"01-", "agreed 0, differing []"},
		{"0000-", "agreed 1, differing []"},
		{"00011", "agreed 1, differing [s4 s5]"},
		{"01110", "agreed 1, differing [s1 s5]"},
		{"00111", "agreed 1, differing [s1 s2]"},
		{"00112", "agreed 0, differing [], alarm"},
		{"0011-", "agreed 0, differing []"},
		// Four states among five: no majority, whatever the last one says.
		{"0123-", "agreed 0, differing [], alarm"},
		{"01234", "agreed 0, differing [], alarm"},
		{"0011", "agreed 0, differing [], alarm"},
		{"0001", "agreed 1, differing [s4]"},
	} {
		a := newAuditor(t, len(row.says))
		index := a.applies()
		a.round()
		for i, state := range row.says {
			id := raft.ServerID(fmt.Sprint("s", i+1))
			switch {
			case i == 0 || state == '-':
			case state == '0':
				a.hear(id, a.own(index))
			default:
				a.hear(id, other(index, byte(state)))
			}
		}
		if got := a.found(); got != row.want {
			t.Errorf("%s: %s, want %s", row.says, got, row.want)
		}
		if s := a.status(); s.Agreed.Index != 0 {
			state := row.says[slices.Index([]byte(row.says), mode(row.says))]
			if want := other(index, state); state != '0' && s.Agreed != want || state == '0' && s.Agreed != a.own(index) {
				t.Errorf("%s: agreed on %x", row.says, s.Agreed.Digest)
			}
		}
	}
}

// mode is the state that most say.
func mode(says string) byte {
	best := byte(0)
	for _, s := range []byte(says) {
		if strings.Count(says, string(s)) > strings.Count(says, string(best)) {
			best = s
		}
	}
	return best
}

// TestALateAnswerIsComparedWithWhatWasAgreed: the third voter's comes after the
// majority has decided.
func TestALateAnswerIsComparedWithWhatWasAgreed(t *testing.T) {
	a := newAuditor(t, 3)
	index := a.applies()
	a.round()
	a.hear("s2", a.own(index))
	a.hear("s3", other(index, 1))
	if got := a.found(); got != "agreed 1, differing [s3]" {
		t.Error(got)
	}
	// It is asked for that index until it agrees, though nothing is written.
	a.round()
	if a.question() != index {
		t.Errorf("asks for index %d while s3 differs at %d", a.question(), index)
	}
	a.hear("s3", a.own(index))
	if got := a.found(); got != "agreed 1, differing []" {
		t.Error(got)
	}
	a.round()
	if a.question() != 0 {
		t.Errorf("asks for index %d with everything compared", a.question())
	}
	// An answer of long ago, or of no index at all, says nothing.
	a.applies()
	a.round()
	a.hear("s2", a.own(2))
	a.hear("s3", other(index, 1))
	a.hear("s3", fsm.IndexDigest{})
	if got := a.found(); got != "agreed 2, differing []" {
		t.Error(got)
	}
}

// TestALateAnswerDoesNotSilenceAnAlarm.
func TestALateAnswerDoesNotSilenceAnAlarm(t *testing.T) {
	a := newAuditor(t, 3)
	first := a.applies()
	a.round()
	a.hear("s2", a.own(first))
	second := a.applies()
	a.round()
	a.hear("s2", other(second, 1))
	a.hear("s3", other(second, 2))
	a.hear("s3", a.own(first))
	if got := a.found(); got != "agreed 1, differing [], alarm" {
		t.Error(got)
	}
	// Agreement later on does.
	third := a.applies()
	a.round()
	a.hear("s2", a.own(third))
	if got := a.found(); got != "agreed 3, differing []" {
		t.Error(got)
	}
}

// TestAVoterThatIsAwayDoesNotHoldTheComparisonUp, and two that differ without it
// raise the alarm.
func TestAVoterThatIsAwayDoesNotHoldTheComparisonUp(t *testing.T) {
	a := newAuditor(t, 3)
	index := a.applies()
	a.round()
	a.applies()
	for range auditPatience {
		a.round()
		if a.question() != index {
			t.Fatalf("gave index %d up after %d rounds", index, a.rounds)
		}
	}
	a.round()
	if a.question() != 2 {
		t.Errorf("asks for index %d, want the newest", a.question())
	}
	if got := a.found(); got != "agreed 0, differing []" {
		t.Errorf("nobody told another state: %s", got)
	}
	a.hear("s2", other(2, 1))
	for range auditPatience + 1 {
		a.round()
	}
	if got := a.found(); got != "agreed 0, differing [], alarm" {
		t.Errorf("two of three differ and the third is away: %s", got)
	}
	if alarm := a.status().Alarm; !strings.Contains(alarm, "2 of 3 voters") || !strings.Contains(alarm, "index 2") {
		t.Errorf("the alarm does not say what was found: %s", alarm)
	}
}

// TestAComparisonCountsTheVotersOfItsBeginning, and forgets who left.
func TestAComparisonCountsTheVotersOfItsBeginning(t *testing.T) {
	a := newAuditor(t, 3)
	a.servers = append(a.servers, raft.Server{ID: "s4", Suffrage: raft.Nonvoter})
	index := a.applies()
	a.round()
	a.hear("s4", a.own(index))
	a.hear("s9", a.own(index))
	if got := a.found(); got != "agreed 0, differing []" {
		t.Errorf("who has no vote counted: %s", got)
	}
	// s4 gets its vote meanwhile: it counts in the next one.
	a.servers[3].Suffrage = raft.Voter
	a.hear("s4", a.own(index))
	a.hear("s2", a.own(index))
	a.hear("s3", other(index, 1))
	if got := a.found(); got != "agreed 1, differing [s3]" {
		t.Error(got)
	}
	index = a.applies()
	a.round()
	a.hear("s4", a.own(index))
	if got := a.found(); got != "agreed 1, differing [s3]" {
		t.Errorf("two of four are no majority: %s", got)
	}
	// s3 leaves; what it was no longer matters.
	a.servers = slices.Delete(a.servers, 2, 3)
	a.hear("s2", a.own(index))
	a.applies()
	a.round()
	a.hear("s2", a.own(3))
	if got := a.found(); got != "agreed 3, differing []" {
		t.Errorf("s3 is gone: %s", got)
	}
	// A leader without a vote compares the others and does not count itself.
	a = newAuditor(t, 3)
	a.servers[0].Suffrage = raft.Nonvoter
	index = a.applies()
	a.round()
	a.hear("s2", a.own(index))
	if got := a.found(); got != "agreed 0, differing []" {
		t.Errorf("one of two: %s", got)
	}
	a.hear("s3", a.own(index))
	if diff := cmp.Diff(AuditStatus{Agreed: a.own(index)}, a.status()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestNothingNewIsNotComparedAgain(t *testing.T) {
	a := newAuditor(t, 3)
	a.round()
	if a.question() != 0 {
		t.Errorf("asks for index %d before anything is applied", a.question())
	}
	index := a.applies()
	a.round()
	a.hear("s2", a.own(index))
	for range 2 * auditPatience {
		a.round()
		if a.question() != 0 {
			t.Fatalf("asks for index %d again", a.question())
		}
	}
}
