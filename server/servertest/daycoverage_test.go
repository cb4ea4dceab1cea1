package servertest_test

import (
	"context"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/verify/coverage"
	"github.com/candor-plane/candor/verify/replay"
)

// cover notes what the log of a cluster that has ended shows: of the server whose log
// reaches back furthest, up to the last entry that a server is known to have applied.
// Entries that a snapshot took the place of are not seen.
func cover(t *testing.T, c *coverage.Coverage, data, name string, outcome *drill.Outcome) {
	t.Helper()
	folders, err := os.ReadDir(data)
	noError(t, err)
	var best *remains
	for _, folder := range folders {
		r, err := server.OpenRemains(filepath.Join(data, folder.Name()), hclog.NewNullLogger())
		if err != nil {
			t.Logf("%s: its log is not covered: %v", folder.Name(), err)
			continue
		}
		t.Cleanup(func() { noError(t, r.Close()) })
		if found := remainsOf(t, name, r); best == nil || found.origin.First < best.origin.First {
			best = found
		}
	}
	if best == nil {
		t.Errorf("no log of %s is left", name)
		return
	}
	for _, d := range outcome.Evidence.Digests {
		best.origin.Committed = max(best.origin.Committed, d.Index)
	}
	best.origin.Committed = min(best.origin.Committed, best.origin.Last)
	_, err = c.Replay(t.Context(), coverage.Bubble, best)
	noError(t, err)
}

// remains is what a stopped server left, to be replayed.
type remains struct {
	*server.Remains
	origin replay.Origin
}

func remainsOf(t *testing.T, name string, of *server.Remains) *remains {
	t.Helper()
	r := &remains{Remains: of, origin: replay.Origin{Name: name}}
	r.origin.ClusterID, r.origin.NodeID, _ = of.Identity()
	var err error
	r.origin.First, r.origin.Last, err = of.Bounds()
	noError(t, err)
	snapshots, err := of.Snapshots()
	noError(t, err)
	for _, s := range snapshots {
		r.origin.Snapshots = append(r.origin.Snapshots, replay.Snapshot{ID: s.ID, Index: s.Index, Term: s.Term, Bytes: s.Bytes})
	}
	return r
}

func (r *remains) Origin() replay.Origin { return r.origin }

func (r *remains) Snapshot(_ context.Context, id string) (io.ReadCloser, error) {
	return r.Remains.Snapshot(id)
}

func (r *remains) Entries(_ context.Context, from, to uint64) iter.Seq2[replay.Entry, error] {
	return func(yield func(replay.Entry, error) bool) {
		for index := max(from, r.origin.First); index <= min(to, r.origin.Last) && index != 0; index++ {
			record, err := r.Record(index)
			if err != nil {
				yield(replay.Entry{}, err)
				return
			}
			e := replay.Entry{Index: record.Index, Term: record.Term, Type: record.Type, Data: record.Data}
			for _, m := range record.Members {
				e.Members = append(e.Members, replay.Member(m))
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}
