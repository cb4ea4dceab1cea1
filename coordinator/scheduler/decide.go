package scheduler

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/zoo"
)

// Algorithm names what is computed: filters, scores, weights, ties, preemption and the
// form of the digest. A decision of another Algorithm cannot be replayed.
const Algorithm = 1

// The rules that choose between equal scores, in order.
const (
	// TieFewest: the node with the fewest live instances.
	TieFewest = "fewest-instances"
	// TieRotation: the least hash of the two UIDs, so that equal nodes take turns.
	TieRotation = "rotation"
	// TieName: the first by name.
	TieName = "name"
)

// Mode is how much is told; what is decided is the same.
type Mode uint8

// The modes.
const (
	// Brief fills Outcome without Explanation.
	Brief Mode = iota
	// Explain also runs every filter on every node, and fills Explanation.
	Explain
)

// bestStored is how many candidates a decision keeps.
const bestStored = 3

// Outcome is a decision with what is needed to propose it.
type Outcome struct {
	// Ref, UID and Revision are the instance and its version.
	Ref      candor.Ref
	UID      string
	Revision uint64
	Decision candor.Decision
	// NodeUID is of Decision.Node.
	NodeUID string
	// Victims are to be evicted, and Budgets what that takes of which budget: of verdict
	// NOMINATED. Without victims the node only waits for instances that are ending.
	Victims []Victim
	Budgets []BudgetUse
	// Explanation is set in mode Explain.
	Explanation *candor.Explanation
}

// Decide says where a pending instance goes, on the model as it stands. The error is
// NOT_FOUND for one that the model has not, and CONFLICT for one that does not wait.
func Decide(m *Model, ref candor.Ref, mode Mode) (Outcome, error) {
	return m.decide(ref, 0, mode)
}

func (m *Model) decide(ref candor.Ref, place int, mode Mode) (Outcome, error) {
	inst := m.instances[ref]
	if inst == nil {
		return Outcome{}, candor.Errorf(candor.ReasonNotFound, "%s is not there at %s", ref, m.token)
	}
	if !inst.waiting() {
		return Outcome{}, candor.Errorf(candor.ReasonConflict, "%s does not wait for a place at %s", ref, m.token)
	}
	q := &m.question
	m.prepare(q, inst.class, inst)
	s := &m.survey
	m.look(q, s)
	out := Outcome{Ref: ref, UID: inst.uid, Revision: inst.revision, Decision: candor.Decision{
		ID:    "d-" + strconv.FormatUint(m.token.Revision, 10) + "-" + strconv.Itoa(place),
		Token: m.token, Place: place, Instance: inst.revision, Algorithm: Algorithm,
		Verdict: candor.VerdictNothingFits, Considered: len(m.order), Reasons: s.reasons(q.class),
	}}
	m.choose(s, &out)
	if out.Decision.Verdict == candor.VerdictNothingFits && q.preempts {
		m.preempt(q, &out)
	}
	out.Decision.Digest = s.sum(q, &out)
	if mode == Explain {
		out.Explanation = m.explain(q, s, &out)
	}
	return out, nil
}

// survey is what was found of all nodes, in order of names.
type survey struct {
	slots  [codes]int32          // nodes by first reason
	short  [maxRequests]int32    // of insufficient, by request
	best   [bestStored]candidate // in order
	fit    int                   // how many fit
	roster uint64                // of the nodes, in order
	record []byte                // recordBytes for each node
}

// maxRequests bounds the names in candor.Resources.
const maxRequests = 16

// recordBytes are a node's score, or its verdict and unfitMark.
const recordBytes = 8

// unfitMark is what no part of a score can be, in the last byte.
const unfitMark = uint64(0xff) << 56

type candidate struct {
	slot  int32
	score score
	total int64
	// instances and turn break ties.
	instances int32
	turn      uint64
}

// look judges and rates every node.
func (m *Model) look(q *question, s *survey) {
	s.slots, s.short, s.fit = [codes]int32{}, [maxRequests]int32{}, 0
	s.record = slices.Grow(s.record[:0], len(m.order)*recordBytes)[:len(m.order)*recordBytes]
	s.roster = m.rosterOf()
	q.rescale()
	var c candidate
	for i, slot := range m.order {
		record := s.record[i*recordBytes:][:recordBytes]
		at := m.static(q.class, slot)
		v := at.verdict
		if v == 0 {
			v = m.dynamic(q, slot, at)
		}
		if v != 0 {
			s.slots[v.code()]++
			if v.code() == insufficient {
				s.short[v.at()]++
			}
			binary.LittleEndian.PutUint64(record, uint64(v)|unfitMark)
			continue
		}
		c.slot, c.instances = slot, m.hot[slot].instances
		m.rate(q, slot, at, &c.score)
		c.total = c.score.total()
		*(*[recordBytes]byte)(record) = c.score
		m.rank(q, s, &c)
	}
}

// rosterOf is a hash of the nodes that are present, in order.
func (m *Model) rosterOf() uint64 {
	if m.rosterAt == m.layout && m.roster != 0 {
		return m.roster
	}
	b := make([]byte, 0, 8*len(m.order))
	for _, slot := range m.order {
		b = binary.LittleEndian.AppendUint64(b, m.hot[slot].hash)
	}
	m.roster, m.rosterAt = xxh3.Hash(b), m.layout
	return m.roster
}

// rank keeps the best.
func (m *Model) rank(q *question, s *survey, c *candidate) {
	at := min(s.fit, bestStored)
	s.fit++
	if at == bestStored && c.total < s.best[at-1].total {
		return
	}
	c.turn = turn(q.inst.hash, m.hot[c.slot].hash)
	if zoo.Enabled && zoo.Has(zoo.RandomTieBreak) {
		c.turn = uint64(zoo.Draw(8))
	}
	for at > 0 && c.before(&s.best[at-1]) < 0 {
		if at < bestStored {
			s.best[at] = s.best[at-1]
		}
		at--
	}
	if at < bestStored {
		s.best[at] = *c
	}
}

// before orders candidates; equal ones stand by name, as they came.
func (c *candidate) before(other *candidate) int {
	return cmp.Or(cmp.Compare(other.total, c.total), cmp.Compare(c.instances, other.instances), cmp.Compare(c.turn, other.turn))
}

// turn mixes two hashes (the finalizer of splitmix64).
func turn(instance, node uint64) uint64 {
	x := instance ^ bits.RotateLeft64(node, 32)
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (m *Model) choose(s *survey, out *Outcome) {
	d := &out.Decision
	kept := s.best[:min(s.fit, bestStored)]
	if len(kept) == 0 {
		return
	}
	d.Verdict, d.Node = candor.VerdictPlaced, m.nodes[kept[0].slot].name
	out.NodeUID = m.nodes[kept[0].slot].uid
	d.Best = make([]candor.Candidate, len(kept))
	for i := range kept {
		d.Best[i] = candor.Candidate{Node: m.nodes[kept[i].slot].name, Score: kept[i].total}
	}
	if len(kept) == 1 {
		return
	}
	d.Margin = kept[0].total - kept[1].total
	switch {
	case d.Margin != 0:
	case kept[0].instances != kept[1].instances:
		d.TieBreak = TieFewest
	case kept[0].turn != kept[1].turn:
		d.TieBreak = TieRotation
	default:
		d.TieBreak = TieName
	}
}

// reasons are counted by word, the most frequent first.
func (s *survey) reasons(c *class) []candor.ReasonCount {
	var out []candor.ReasonCount
	for code, nodes := range s.slots {
		if nodes > 0 && code != int(insufficient) {
			out = append(out, candor.ReasonCount{Reason: c.reason(verdict(code) << 8), Nodes: int(nodes)})
		}
	}
	for at := range c.requests {
		if nodes := s.short[at]; nodes > 0 {
			out = append(out, candor.ReasonCount{Reason: c.reason(verdictOf(insufficient, at)), Nodes: int(nodes)})
		}
	}
	slices.SortFunc(out, func(a, b candor.ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Nodes, a.Nodes), strings.Compare(a.Reason, b.Reason))
	})
	return out
}

// sum is the digest: of the question, of every node's verdict and score, and of what
// came of it.
func (s *survey) sum(q *question, out *Outcome) string {
	b := s.record
	b = binary.LittleEndian.AppendUint64(b, s.roster)
	b = binary.LittleEndian.AppendUint64(b, q.inst.hash)
	b = binary.LittleEndian.AppendUint64(b, q.inst.revision)
	b = binary.LittleEndian.AppendUint32(b, Algorithm)
	for _, text := range []string{out.UID, string(out.Decision.Verdict), out.Decision.Node, out.NodeUID} {
		b = append(append(b, text...), 0)
	}
	for i := range out.Victims {
		b = append(append(b, out.Victims[i].UID...), 0)
	}
	s.record = b
	sum := xxh3.Hash128(b).Bytes()
	return hex.EncodeToString(sum[:])
}
