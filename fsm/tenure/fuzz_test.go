package tenure_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/candor-plane/candor/fsm/tenure"
)

// longest bounds a tape: what matters happens within a few dozen events.
const longest = 600

// tape turns fuzz input into choices.
type tape struct{ rest []byte }

func (p *tape) next(n int) int {
	if len(p.rest) == 0 {
		return 0
	}
	v := int(p.rest[0]) % n
	p.rest = p.rest[1:]
	return v
}

// fits says whether the next choice is one that fits the lineage, as most are.
func (p *tape) fits() bool { return p.next(8) < 6 }

func (p *tape) holder(l *tenure.Lineage) string {
	if l.Current.Number != 0 && p.fits() {
		return l.Current.Holder
	}
	return []string{a, b, c, "client/x", "", "server/"}[p.next(6)]
}

func (p *tape) frontiers(l *tenure.Lineage, from tenure.Frontiers) tenure.Frontiers {
	f := from
	if !p.fits() {
		cur := &l.Current
		f = []tenure.Frontiers{cur.Usage, cur.Bound, cur.Start, {}, {ID: 1 << 63, Timestamp: 1<<64 - 1}}[p.next(5)]
	}
	f.ID += uint64(p.next(2))
	f.Timestamp += uint64(p.next(2))
	return f
}

func (p *tape) era(l *tenure.Lineage) uint64 {
	if p.fits() {
		return l.Current.Number
	}
	return l.Current.Number - uint64(p.next(4)) + 1
}

// before is an era before the current one, and a seal to cite for it.
func (p *tape) before(l *tenure.Lineage) (uint64, tenure.Digest) {
	eras := l.Eras()
	if len(eras) == 0 || !p.fits() {
		return p.era(l), tenure.Digest{1}
	}
	x := eras[p.next(len(eras))]
	return x.Number, x.Seal
}

func (p *tape) campaign(l *tenure.Lineage) tenure.Event {
	cur := &l.Current
	e := tenure.Campaign{Holder: []string{a, b, c, "client/x"}[p.next(4)], Candidacy: []string{"1", "2", "3", ""}[p.next(4)], Expect: p.era(l), Cite: cur.Seal, Duration: duration}
	e.Start = p.frontiers(l, cur.Bound)
	if !p.fits() {
		_, e.Cite = p.before(l)
		e.Duration = []int64{tenure.MinDuration, 0, -1, tenure.MaxDuration}[p.next(4)]
	}
	return e
}

func (p *tape) event(l *tenure.Lineage) tenure.Event {
	cur := &l.Current
	predecessor, cite := p.before(l)
	switch p.next(9) {
	case 0, 1:
		return p.campaign(l)
	case 2:
		return tenure.Renew{Era: p.era(l), Holder: p.holder(l)}
	case 3:
		return tenure.Reserve{Era: p.era(l), Holder: p.holder(l), Bound: p.frontiers(l, cur.Bound)}
	case 4:
		return tenure.Seal{Era: p.era(l), Holder: p.holder(l), Usage: p.frontiers(l, cur.Start), To: []string{"", a, b, "x"}[p.next(4)]}
	case 5:
		return tenure.Confirm{Era: p.era(l), Holder: p.holder(l), Predecessor: predecessor, Cite: cite}
	case 6:
		return tenure.Close{Era: p.era(l), Holder: p.holder(l), Predecessor: predecessor}
	case 7:
		return tenure.Reattach{Holder: p.holder(l), Candidacy: []string{"1", "2", ""}[p.next(3)], Era: p.era(l), Cite: cur.Seal}
	default:
		return tenure.Release{Era: p.era(l), Holder: p.holder(l), Usage: p.frontiers(l, cur.Start)}
	}
}

// drive sends what the tape says and checks every promise over each event: Apply
// never panics, the guarantees hold, a refusal changes nothing, a repeat at once
// changes nothing, and the forms read back. It counts what was accepted.
func drive(t *testing.T, input []byte, duty string, accepted map[string]int) {
	t.Helper()
	l := lineage(t, duty)
	p := &tape{rest: input[:min(len(input), longest)]}
	now := tenure.Now{Term: 1, Leader: a}
	for len(p.rest) > 0 {
		now.ClusterTime += int64(p.next(4)) * duration / 3
		if p.next(8) == 1 {
			now.Term, now.Leader = now.Term+1, p.holder(&l)
		}
		e := p.event(&l)
		after, err := l.Apply(now, e)
		if err != nil {
			if tenure.Compare(l, after) != tenure.Unchanged {
				t.Fatalf("%T%+v was refused and changed the lineage", e, e)
			}
			continue
		}
		if tenure.Compare(l, after) != tenure.Unchanged {
			accepted[fmt.Sprintf("%T", e)]++
		}
		if v := tenure.Check(l, after); v != nil {
			t.Fatalf("%T%+v: %v", e, e, v)
		}
		if v := tenure.Audit([]tenure.Lineage{l, after}); v != nil {
			t.Fatalf("%T%+v: %v", e, e, v)
		}
		again, err := after.Apply(now, e)
		if err != nil || tenure.Compare(after, again) != tenure.Unchanged {
			t.Fatalf("%T%+v: a repeat at once: %v", e, e, err)
		}
		stored := after.Append(nil)
		back, err := tenure.Decode(stored)
		if err != nil || !bytes.Equal(back.Append(nil), stored) {
			t.Fatalf("%T%+v: stored and read: %v", e, e, err)
		}
		if shown, err := tenure.ReadStatus(after.AppendStatus(nil)); err != nil || tenure.Audit([]tenure.Lineage{shown}) != nil {
			t.Fatalf("%T%+v: status: %v", e, e, err)
		}
		l = after
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), false)
	f.Add([]byte{0, 0, 0, 3, 0, 3, 0, 0, 0, 0, 9, 3, 1, 0, 1, 3, 0, 0, 0, 4, 1, 0, 1, 2, 0, 0, 0}, true)
	f.Fuzz(func(t *testing.T, input []byte, belief bool) {
		duty := "control/x"
		if belief {
			duty = "tso"
		}
		drive(t, input, duty, map[string]int{})
	})
}

func TestTheGuaranteesHoldForAnySequenceOfEvents(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	accepted := map[string]int{}
	input := make([]byte, longest)
	for i := range 1500 {
		for j := range input {
			input[j] = byte(random.Uint32())
		}
		drive(t, input, []string{"control/x", "ids", "tso"}[i%3], accepted)
	}
	if len(accepted) != 8 {
		t.Errorf("an event was never accepted, so this shows little: %v", accepted)
	}
	t.Logf("accepted: %v", accepted)
}

// FuzzDecode: what is read is written the same, and is a lineage that events go on
// from.
func FuzzDecode(f *testing.F) {
	s := begin(&testing.T{}, "ids")
	s.do(at(0), s.campaign(a, "a1"))
	f.Add(s.l.Append(nil))
	s.do(at(2), s.campaign(b, "b1"))
	f.Add(s.l.Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := tenure.Decode(data)
		if err != nil {
			return
		}
		if !bytes.Equal(l.Append(nil), data) {
			t.Fatal("read and written otherwise")
		}
		p := &tape{rest: data}
		for range 16 {
			e := p.event(&l)
			after, err := l.Apply(at(int64(p.next(8))), e)
			if err == nil {
				if v := tenure.Check(l, after); v != nil {
					t.Fatalf("%T%+v: %v", e, e, v)
				}
			}
			l = after
		}
	})
}
