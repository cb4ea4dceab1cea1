package servertest_test

import (
	"context"
	"io"
	"iter"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/verify/replay"
)

// remains is what a stopped server left, to be replayed.
type remains struct {
	*server.Remains
	origin replay.Origin
}

// leftOf opens what is left in a data directory.
func leftOf(t *testing.T, data string) *remains {
	t.Helper()
	r, err := server.OpenRemains(data, hclog.NewNullLogger())
	noError(t, err)
	t.Cleanup(func() { noError(t, r.Close()) })
	return remainsOf(t, data, r)
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
