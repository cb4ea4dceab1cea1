package read_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/server/read"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var identity = read.Identity{NodeID: "node-1", NodeName: "n1", BootID: "boot-1"}

// root is a replica's answers, as a test wants them, and the log that it has
// not applied yet: an index that is waited for is applied then.
type root struct {
	t       testing.TB
	machine *fsm.Machine

	// confirmed is what ReadIndex answers, after it took so long, or refuse.
	confirmed uint64
	confirms  time.Duration
	refuse    error
	// applies is how long each WaitApplied takes, and start where the clock is 0.
	applies time.Duration
	start   time.Time
	// late is what WaitApplied answers for an index that will not come.
	late    error
	leading bool
	leader  *candor.LeaderHint

	mu    sync.Mutex
	ready []fsm.Committed
	asked []string
}

func (r *root) ReadIndex(context.Context) (index uint64, began time.Duration, err error) {
	r.note("ReadIndex")
	began = r.Elapsed(0)
	time.Sleep(r.confirms)
	return r.confirmed, began, r.refuse
}

func (r *root) Elapsed(since time.Duration) time.Duration { return time.Since(r.start) - since }

func (r *root) WaitApplied(ctx context.Context, index uint64) error {
	r.note("WaitApplied")
	if err := ctx.Err(); err != nil {
		return candor.Errorf(candor.ReasonTimedOut, "%w", err)
	}
	time.Sleep(r.applies)
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.ready) > 0 && r.machine.View().Token().Index < index {
		r.machine.Apply(r.ready[:1])
		r.ready = r.ready[1:]
	}
	if r.machine.View().Token().Index < index {
		return r.late
	}
	return nil
}

func (r *root) Leader() *candor.LeaderHint { return r.leader }
func (r *root) Leading() bool              { return r.leading }

func (r *root) note(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, call)
}

// follower has applied 4 entries, at revision 4, and its log has 4 more.
func follower(t testing.TB) *root {
	r := &root{
		t: t, machine: fsm.New(fsm.Config{ClusterID: "c1"}), start: time.Now(),
		leader: &candor.LeaderHint{ServerID: "node-2", Name: "n2", Address: "n2:7070", Term: 3},
		refuse: &candor.Error{Reason: candor.ReasonNotLeader, Message: "this server does not lead"},
		late:   candor.Errorf(candor.ReasonTimedOut, "not in time"),
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

// leader is the same server with a majority behind it: everything up to index 6
// is acknowledged.
func leader(t testing.TB) *root {
	r := follower(t)
	r.leading, r.confirmed, r.refuse = true, 6, nil
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

func reader(r *root) *read.Reader { return read.New(identity, r.machine, r) }

// position is a token of this history.
func position(r *root, t candor.Token) candor.PortableToken {
	v := r.machine.View()
	return candor.PortableToken{Token: t, ClusterID: v.ClusterID(), HistoryID: v.HistoryID()}
}
