package history_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// model makes histories of a cluster that keeps its promises: calls by several
// clients, each with an instant between invocation and return at which it takes
// effect. The order of these instants is the truth.
type model struct {
	rand     *rand.Rand
	keys     []string
	versions map[string][]written // by key, the newest last
	revision uint64
	made     []int64           // by revision, when it was made
	views    map[string]uint64 // by node
	floors   map[string]uint64 // by client
	values   int
	lists    bool
	// finalizers hold every deleted object for a while; then it vanishes.
	finalizers bool
}

// written is one version of a key.
type written struct {
	revision      uint64
	value         string
	absent, going bool
}

// intent is a call before it is carried out.
type intent struct {
	client         string
	from, at, till int64
	lost           bool // a write's answer is lost
}

var nodes = []string{"n1", "n2", "n3"}

func newModel(seed uint64, keys int) *model {
	m := &model{
		rand: rand.New(rand.NewPCG(seed, 1)), versions: map[string][]written{}, views: map[string]uint64{}, floors: map[string]uint64{},
		revision: 1, made: []int64{0, 0}, lists: true,
	}
	for k := range keys {
		m.keys = append(m.keys, fmt.Sprintf("k/%d", k))
	}
	return m
}

// run makes a history of so many operations.
func (m *model) run(clients, operations int) []history.Operation {
	var intents []intent
	for c := range clients {
		now := m.rand.Int64N(5)
		for range operations / clients {
			i := intent{client: fmt.Sprintf("c%d", c), from: now, lost: m.rand.IntN(12) == 0}
			i.at = i.from + m.rand.Int64N(6)
			i.till = i.at + m.rand.Int64N(6)
			now = i.till + 1 + m.rand.Int64N(4)
			if i.lost {
				i.at += m.rand.Int64N(30)
			}
			intents = append(intents, i)
		}
	}
	slices.SortStableFunc(intents, func(a, b intent) int { return cmp.Compare(a.at, b.at) })
	var out []history.Operation
	for _, i := range intents {
		out = append(out, m.carry(i))
	}
	return out
}

func (m *model) carry(i intent) history.Operation {
	m.vanish(i.at)
	o := history.Operation{
		Client: i.client, Outcome: history.OutcomeOK,
		Invoke: i.from * int64(time.Millisecond), Return: i.till * int64(time.Millisecond),
	}
	if i.lost || m.rand.IntN(3) == 0 {
		m.write(i, &o)
	} else {
		m.read(i, &o)
	}
	return o
}

// vanish lets objects that are going change, or go.
func (m *model) vanish(at int64) {
	for _, key := range m.keys {
		if v := m.at(key, m.revision); v.going && m.rand.IntN(8) == 0 {
			m.revision++
			m.made = append(m.made, at)
			v.revision, v.absent = m.revision, m.rand.IntN(2) == 0
			v.going = !v.absent
			m.versions[key] = append(m.versions[key], v)
		}
	}
}

func (m *model) token(revision uint64) candor.Token {
	return candor.Token{Term: 1 + revision/40, Index: 3 * revision, Revision: revision}
}

// at is the version of a key at a revision; absent where there is none.
func (m *model) at(key string, revision uint64) written {
	for _, v := range slices.Backward(m.versions[key]) {
		if v.revision <= revision {
			return v
		}
	}
	return written{absent: true}
}

func (m *model) write(i intent, o *history.Operation) {
	key := m.keys[m.rand.IntN(len(m.keys))]
	m.values++
	item := history.Item{Key: key, Value: fmt.Sprint("v", m.values)}
	switch there := !m.at(key, m.revision).absent; {
	case !there:
		o.Kind = history.KindCreate
	case m.finalizers && m.rand.IntN(5) == 0:
		o.Kind, item = history.KindDelete, history.Item{Key: key, Value: m.at(key, m.revision).value, Going: true}
	case m.rand.IntN(5) == 0:
		o.Kind, item = history.KindDelete, history.Item{Key: key, Absent: true}
	default:
		o.Kind = history.KindUpdate
	}
	o.Items = []history.Item{item}
	if !m.finalizers && m.rand.IntN(6) == 0 {
		o.Kind = history.KindTxn
		from := m.rand.IntN(len(m.keys))
		for n := range min(4, len(m.keys)) {
			if other := m.keys[(from+n)%len(m.keys)]; other != key && m.rand.IntN(2) == 0 {
				m.values++
				o.Items = append(o.Items, history.Item{Key: other, Value: fmt.Sprint("v", m.values)})
			}
		}
	}
	switch {
	case i.lost && m.rand.IntN(2) == 0:
		o.Outcome, o.Reason = history.OutcomeUnknown, candor.ReasonOutcomeUnknown
		return
	case !i.lost && m.rand.IntN(8) == 0:
		o.Outcome, o.Reason = history.OutcomeFailed, candor.ReasonTimedOut
		return
	}
	m.revision++
	m.made = append(m.made, i.at)
	for _, item := range o.Items {
		going := item.Going || o.Kind == history.KindUpdate && m.at(item.Key, m.revision).going
		m.versions[item.Key] = append(m.versions[item.Key], written{m.revision, item.Value, item.Absent, going})
	}
	if i.lost {
		o.Outcome, o.Reason = history.OutcomeUnknown, candor.ReasonOutcomeUnknown
		return
	}
	o.Token = m.token(m.revision)
	m.floors[i.client] = m.revision
}

func (m *model) read(i intent, o *history.Operation) {
	o.Kind, o.Asked = history.KindGet, &history.Asked{Freshness: candor.FreshnessStrong}
	node := nodes[m.rand.IntN(len(nodes))]
	w := &candor.Witness{NodeID: node, BootID: "b"}
	low := max(1, m.views[node], m.floors[i.client])
	switch m.rand.IntN(3) {
	case 0:
		low = m.revision
		w.Class, w.Mechanism, w.ServedByLeader = candor.ServingAuthoritative, candor.MechanismLeaderReadIndex, true
		w.StalenessBound = new(time.Duration(m.rand.Int64N(5)) * time.Millisecond)
	case 1:
		age := m.rand.Int64N(20)
		for low < m.revision && m.made[low+1] <= i.at-age {
			low++
		}
		o.Asked.Freshness, o.Asked.MaxStaleness = candor.FreshnessBounded, new(time.Duration(age+m.rand.Int64N(5))*time.Millisecond)
		w.Class, w.Mechanism, w.StalenessBound = candor.ServingBoundedStale, candor.MechanismProvenView, new(time.Duration(age)*time.Millisecond)
	default:
		o.Asked.Freshness = candor.FreshnessBestEffort
		w.Class, w.Mechanism = candor.ServingDegraded, candor.MechanismView
	}
	revision := low + m.rand.Uint64N(m.revision-low+1)
	w.Requested, w.Served, w.ServedToken = o.Asked.Freshness, o.Asked.Freshness, m.token(revision)
	o.Witness, o.Token = w, w.ServedToken
	m.views[node], m.floors[i.client] = revision, revision
	if m.lists && m.rand.IntN(4) == 0 {
		o.Kind, o.Scope = history.KindList, "k/"
	}
	m.show(o, m.keys[m.rand.IntN(len(m.keys))])
}

// show sets what a read of its revision answers.
func (m *model) show(o *history.Operation, key string) {
	o.Items = nil
	if o.Kind == history.KindGet {
		o.Items = []history.Item{m.item(key, o.Token.Revision)}
		return
	}
	for _, key := range m.keys {
		if item := m.item(key, o.Token.Revision); !item.Absent {
			o.Items = append(o.Items, item)
		}
	}
}

func (m *model) item(key string, revision uint64) history.Item {
	v := m.at(key, revision)
	if v.absent {
		return history.Item{Key: key, Absent: true}
	}
	return history.Item{Key: key, Value: v.value, Version: v.revision}
}
