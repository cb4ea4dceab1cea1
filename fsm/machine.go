package fsm

import (
	"sync"
	"sync/atomic"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/fsm/transition"
	"github.com/candor-plane/candor/internal/zoo"
)

// Config of a Machine.
type Config struct {
	// ClusterID is in every snapshot and outside the digest.
	ClusterID string
	// OnFault is told of turns that panicked, for logs; it must not block. It
	// has no effect on the state. Nil for none.
	OnFault func(FaultReport)
}

// FaultReport is what a log wants to know of a panic and the state must not:
// texts of panics may differ between builds.
type FaultReport struct {
	Record Record
	Panic  any
	Stack  []byte
}

// Machine is the state machine. Apply and Restore belong to one goroutine;
// everything else may be called from any.
type Machine struct {
	config Config

	// applying guards the state, so that a snapshot may be captured between
	// two batches by anyone.
	applying sync.Mutex
	state    *state
	draft    draft
	skip     ruleSet
	cmd      command.Command
	// decoded are the objects that turns read last, one a kind: every turn of a
	// transaction asks for its namespace and its kind. Nobody changes them.
	decoded [8]decodedVersion
	// policy is the compiled one of the revision that it says; see compiled.
	policy *policy.Policy

	// rewinds is how often Adopt took the revision back; it is of this process.
	rewinds uint64

	view  atomic.Pointer[View]
	holds atomic.Int64
	// unlinks are versions whose predecessors are pruned, to be cut off.
	unlinks []*mvcc.Version

	mu      sync.Mutex
	digests digestRing
}

// New returns a machine in the genesis state, at revision 1.
func New(config Config) *Machine {
	m := &Machine{config: config}
	m.state, m.policy = genesis(config.ClusterID)
	m.publish()
	return m
}

type decodedVersion struct {
	version *mvcc.Version
	object  *candor.Object
}

// object is v decoded, to be read only. It panics on a version that does not
// decode: the state encoded it.
func (m *Machine) object(v *mvcc.Version) *candor.Object {
	d := &m.decoded[v.Kind%uint32(len(m.decoded))]
	if d.version != v {
		*d = decodedVersion{v, mustDecode(v)}
	}
	return d.object
}

// Committed is one committed log entry.
type Committed struct {
	Term, Index uint64
	Data        []byte
	// Configuration marks an entry that carries no commands of ours. Servers are the
	// members that it makes, decoded; the state keeps no part of the slice.
	Configuration bool
	Servers       []transition.Server
}

// EntryResult is what one entry did.
type EntryResult struct {
	// Token is the root's position after the entry.
	Token candor.Token
	// Results has one result per command, in order.
	Results []Result
}

// Apply applies committed entries in order and publishes one view at the end.
// Results may alias entry data until the caller has answered.
//
// It panics with an *Error of reason DATA_CORRUPT on an entry that does not
// decode and of reason FEATURE_LEVEL before applying one of a level above this
// build's: both mean that this node must stop. Nothing of that batch is then
// published; the state itself may have moved and is not to be used again.
func (m *Machine) Apply(batch []Committed) []EntryResult {
	m.applying.Lock()
	defer m.applying.Unlock()
	m.cutChains()
	out := make([]EntryResult, len(batch))
	for i := range batch {
		out[i] = m.applyEntry(&batch[i])
	}
	m.publish()
	return out
}

func (m *Machine) applyEntry(c *Committed) EntryResult {
	s := m.state
	if c.Index <= s.token.Index {
		// Contained in the restored snapshot already.
		return EntryResult{Token: s.token}
	}
	var results []Result
	if c.Configuration {
		s.reconfigure(c.Index, c.Servers)
	} else {
		entry, err := command.DecodeEntry(c.Data)
		if err != nil {
			panic(candor.Wrap("apply", err))
		}
		results = m.applyCommands(c, &entry)
	}
	s.token.Term, s.token.Index = c.Term, c.Index
	m.prune(prunePerEntry)
	s.requests.expire(s.time, expirePerEntry)
	m.noteDigest()
	for i := range results {
		if !results[i].Replayed {
			results[i].Token.Index, results[i].Token.Term = c.Index, c.Term
		}
	}
	return EntryResult{Token: s.token, Results: results}
}

func (m *Machine) applyCommands(c *Committed, e *command.Entry) []Result {
	s := m.state
	env := environment{term: c.Term, index: c.Index}
	if e.Term == c.Term {
		env.wall = e.Wall
		if zoo.Enabled && zoo.Has(zoo.WallTime) {
			e.Time = e.Wall
		}
		s.time = max(s.time, e.Time)
		if zoo.Enabled && zoo.Has(zoo.TimeGoesBack) {
			s.time = e.Time
		}
	}
	results := make([]Result, len(e.Commands))
	for i, data := range e.Commands {
		if err := command.DecodeCommand(data, &m.cmd); err != nil {
			panic(candor.Wrap("apply", err))
		}
		m.refuseUnsupported(&m.cmd)
		env.ordinal = uint32(i)
		results[i] = m.turn(env, &m.cmd)
	}
	return results
}

// refuseUnsupported stops the node before it applies what it does not know.
func (m *Machine) refuseUnsupported(c *command.Command) {
	if c.Type == command.TypeRaiseLevel && c.Level > candor.FeatureLevel {
		panic(candor.Errorf(candor.ReasonFeatureLevel,
			"the cluster raises its feature level to %d; this build supports %d: run a newer build", c.Level, candor.FeatureLevel))
	}
	if c.Type < command.TypeWrite || c.Type > command.TypeBeat {
		panic(candor.Errorf(candor.ReasonFeatureLevel, "log holds a command of type %d, which this build does not know: run a newer build", c.Type))
	}
}

// environment is where a turn runs.
type environment struct {
	term, index uint64
	ordinal     uint32
	// wall is the leader's wall clock, for people; 0 when not told.
	wall int64
}
