package read_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/read"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var identity = read.Identity{NodeID: "node-1", NodeName: "n1", BootID: "boot-1"}

// updated is when the view of every test was published.
var updated = time.Unix(1_700_000_000, 0)

// root is a replica's answers, as a test wants them, and the log that it has
// not applied yet: an index that is waited for is applied then.
type root struct {
	machine *fsm.Machine
	start   time.Time

	mu sync.Mutex
	// commit is what a proof covers, after it took so long, or refuse. One that
	// hangs waits until its caller gives up.
	commit uint64
	takes  time.Duration
	refuse error
	hangs  bool
	// first and agreed are of every proof.
	first  uint64
	agreed fsm.IndexDigest
	// applies is how long each WaitApplied takes.
	applies time.Duration
	ready   []fsm.Committed
	// seen and leader are what the node knows of itself.
	seen   read.Observed
	leader *candor.LeaderHint

	asked       []string
	asking, top int
	// proves are when Prove was called.
	proves []time.Duration
}

func (r *root) Confirm(ctx context.Context) (read.Proof, error) { return r.prove(ctx, "Confirm") }

func (r *root) Prove(ctx context.Context) (read.Proof, error) {
	r.mu.Lock()
	r.proves = append(r.proves, time.Since(r.start))
	r.mu.Unlock()
	return r.prove(ctx, "Prove")
}

func (r *root) prove(ctx context.Context, call string) (read.Proof, error) {
	r.mu.Lock()
	r.asked = append(r.asked, call)
	r.asking++
	r.top = max(r.top, r.asking)
	takes, hangs, commit := r.takes, r.hangs, r.commit
	r.mu.Unlock()
	defer r.edit(func(r *root) { r.asking-- })
	began := r.Elapsed(0)
	err := pause(ctx, takes)
	if hangs {
		<-ctx.Done()
		err = ended(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = r.refuse
	}
	if err != nil {
		return read.Proof{}, err
	}
	return read.Proof{
		Index: commit, Term: 3, Began: began, Root: candor.Token{Term: 3, Index: commit, Revision: commit}, First: r.first, Agreed: r.agreed,
	}, nil
}

func (r *root) Elapsed(since time.Duration) time.Duration { return time.Since(r.start) - since }

func (r *root) WaitApplied(ctx context.Context, index uint64) error {
	r.mu.Lock()
	r.asked = append(r.asked, "WaitApplied")
	applies := r.applies
	r.mu.Unlock()
	if err := pause(ctx, applies); err != nil {
		return err
	}
	if r.apply(index) < index {
		<-ctx.Done()
		return ended(ctx)
	}
	return nil
}

// apply applies what there is, up to an index.
func (r *root) apply(index uint64) (applied uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.ready) > 0 && r.machine.View().Token().Index < index {
		r.machine.Apply(r.ready[:1])
		r.ready = r.ready[1:]
	}
	return r.machine.View().Token().Index
}

func (r *root) Observe() read.Observed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen
}

func (r *root) Leader() *candor.LeaderHint {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leader
}

func (r *root) edit(change func(*root)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// calls are those since the last time.
func (r *root) calls() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := r.asked
	r.asked = nil
	return asked
}

func pause(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

func ended(ctx context.Context) error {
	reason := candor.ReasonTimedOut
	if errors.Is(ctx.Err(), context.Canceled) {
		reason = candor.ReasonCanceled
	}
	return candor.Errorf(reason, "not in time")
}

// judge is a Trust whose word a test gives.
type judge struct {
	mu        sync.Mutex
	why       freshness.ModeReason
	reloading bool
	heard     []fsm.IndexDigest
	removed   bool
	changed   chan struct{}
}

func (j *judge) ViewOnly() (freshness.ModeReason, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.removed && j.why == "" {
		return freshness.ReasonRemoved, j.reloading
	}
	return j.why, j.reloading
}

func (j *judge) Heard(agreed fsm.IndexDigest) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.heard = append(j.heard, agreed)
}

func (j *judge) Removed(removed bool) {
	if removed != j.isRemoved() {
		j.edit(func(j *judge) { j.removed = removed })
	}
}

func (j *judge) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.changed
}

func (j *judge) isRemoved() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.removed
}

func (j *judge) edit(change func(*judge)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(j)
	close(j.changed)
	j.changed = make(chan struct{})
}

// node is a reader with what it stands on.
type node struct {
	*read.Reader
	root  *root
	judge *judge
}

// start makes a reader whose beacon keeps still, unless the test gives it
// another interval.
func start(t testing.TB, r *root, change ...func(*read.Config)) *node {
	t.Helper()
	n := &node{root: r, judge: &judge{changed: make(chan struct{})}}
	config := read.Config{
		Identity: identity, Machine: r.machine, Root: r, Node: r, Trust: n.judge,
		Policy: freshness.DefaultPolicy(), Beacon: 1000 * time.Hour,
	}
	for _, c := range change {
		c(&config)
	}
	n.Reader = read.New(config)
	t.Cleanup(n.Close)
	return n
}

// beating has the beacon ask ten times a second.
func beating(c *read.Config) { c.Beacon = 100 * time.Millisecond }

// follower has applied 4 entries, at revision 4, and its log has 4 more; all of
// those up to 6 are acknowledged.
func follower(t testing.TB) *root {
	r := &root{
		machine: fsm.New(fsm.Config{ClusterID: "c1"}), start: time.Now(), commit: 6,
		leader: &candor.LeaderHint{ServerID: "node-2", Name: "n2", Address: "n2:7070", Term: 3},
		seen:   read.Observed{LeaderKnown: true, LastLog: 8, Recovered: true, UpdatedAt: updated},
	}
	r.ready = append(r.ready, entry(1, command.LeaderStart(3, "node-2")))
	for i := uint64(2); i <= 8; i++ {
		r.ready = append(r.ready, entry(i, create(i)))
	}
	r.machine.Apply(r.ready[:4])
	r.ready = r.ready[4:]
	if got, want := r.machine.View().Token(), (candor.Token{Term: 3, Index: 4, Revision: 4}); got != want {
		t.Fatalf("the view begins at %s, want %s", got, want)
	}
	return r
}

// leader is the same server with a majority behind it.
func leader(t testing.TB) *root {
	r := follower(t)
	r.seen.Leads = true
	r.leader = &candor.LeaderHint{ServerID: "node-1", Term: 3}
	return r
}

func entry(index uint64, c *command.Command) fsm.Committed {
	e := command.Entry{Term: 3, Time: int64(index) * 1e9, Commands: [][]byte{command.AppendCommand(nil, c)}}
	return fsm.Committed{Term: 3, Index: index, Data: command.AppendEntry(nil, e)}
}

// create makes a namespace with a letter for its name.
func create(i uint64) *command.Command {
	o := &candor.Object{APIVersion: candor.APIVersion, Kind: "Namespace", Spec: []byte(`{}`)}
	o.Metadata.Name, o.Metadata.UID = string(rune('a'+i)), "uid"
	return &command.Command{Type: command.TypeWrite, Actor: "ana", Then: []command.Operation{
		{Verb: command.VerbCreate, Kind: candor.KindNamespaces, KindRevision: 1, Object: o},
	}}
}

// position is a token of this history.
func position(r *root, t candor.Token) candor.PortableToken {
	v := r.machine.View()
	return candor.PortableToken{Token: t, ClusterID: v.ClusterID(), HistoryID: v.HistoryID()}
}

// bounded asks for a view that misses nothing older than this.
func bounded(d time.Duration) candor.ReadRequest {
	return candor.ReadRequest{Freshness: candor.FreshnessBounded, MaxStaleness: &d}
}

// within is a deadline of the bubble's time.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func wantReason(t testing.TB, what string, err error, want candor.Reason) {
	t.Helper()
	if candor.ReasonOf(err) != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}
