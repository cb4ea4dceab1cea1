package placements_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
	"github.com/candor-plane/candor/verify/placements"
)

const (
	place    = "an instance has one place, for good"
	end      = "an instance ends at most once"
	capacity = "no more is held of a node than it has"
	machine  = "one machine at a time runs an instance"
	decision = "a decision taken again is the same"
	open     = "a closed node takes nothing new"
)

// fleet is two nodes of 4 cores and instances of 1 or 2, placed and ended at random, as a
// right scheduler and a right root would record them.
func fleet(seed uint64) *placements.Recording {
	random := rand.New(rand.NewPCG(seed, 2))
	r := &placements.Recording{}
	revision, clock := uint64(10), int64(0)
	now := func() history.Stamp { clock++; return history.Stamp{At: clock, Seq: uint64(clock)} }
	free := []int{4, 4}
	for n := range free {
		r.Versions = append(r.Versions, kept(candor.KindNodes, nodeName(n), version(uint64(n+1), uint64(n+1), &candor.Object{
			Metadata: candor.Metadata{Name: nodeName(n), UID: nodeName(n) + "-uid"}, Observed: []byte(`{"capacity":{"cpu":"4"},"session":"s"}`),
			Status: []byte(`{"conditions":[{"type":"Ready","status":"True"}]}`),
		})))
	}
	type running struct{ place, node, cpu int }
	var live []running
	for i := range 30 {
		born := revision
		cpu := 1 + random.IntN(2)
		o := instance(i, cpu, `{"phase":"Pending"}`)
		v := kept(candor.KindInstances, o.Metadata.Name, version(born, born, o))
		revision++
		if node := random.IntN(2); free[node] >= cpu {
			v.Versions = append(v.Versions, version(revision, born, instance(i, cpu, placed("Placed", node))))
			v.Versions[1].Cause = &candor.Cause{ReadToken: candor.Token{Revision: revision - 1}}
			revision++
			free[node] -= cpu
			live = append(live, running{len(r.Versions), node, cpu})
			r.Claims = append(r.Claims, placements.Claim{Instance: o.Metadata.UID, Node: nodeName(node), Session: "s", From: now(), To: now()})
			r.Decisions = append(r.Decisions, placements.Decision{ID: fmt.Sprintf("d-%d-0", revision), Instance: o.Metadata.Name, Replay: candor.Replay{Same: true}})
		}
		r.Versions = append(r.Versions, v)
		if len(live) > 0 && random.IntN(2) == 0 {
			at := random.IntN(len(live))
			done := live[at]
			live = slices.Delete(live, at, at+1)
			free[done.node] += done.cpu
			of := &r.Versions[done.place]
			phase := []string{"Succeeded", "Failed", "Lost"}[random.IntN(3)]
			last := of.Versions[len(of.Versions)-1]
			of.Versions = append(of.Versions, version(revision, last.Create, instance(done.place-2, done.cpu, placed(phase, done.node))))
			revision++
		}
	}
	for i := range r.Versions {
		r.Versions[i].Revision = revision
	}
	return r
}

func nodeName(n int) string { return fmt.Sprintf("w%d", n) }

func placed(phase string, node int) string {
	return fmt.Sprintf(`{"phase":%q,"node":%q,"nodeUID":"%s-uid"}`, phase, nodeName(node), nodeName(node))
}

func instance(i, cpu int, status string) *candor.Object {
	name := fmt.Sprintf("i%d", i)
	return &candor.Object{
		Metadata: candor.Metadata{Name: name, Namespace: "team", UID: name + "-uid"},
		Spec:     []byte(fmt.Sprintf(`{"command":["x"],"resources":{"cpu":"%d"}}`, cpu)), Status: []byte(status),
	}
}

func version(revision, create uint64, o *candor.Object) history.Version {
	return history.Version{Revision: revision, Create: create, Object: o}
}

func kept(kind candor.KindName, name string, first history.Version) history.Versions {
	return history.Versions{Key: history.Key(candor.Ref{Kind: kind, Name: name}), Versions: []history.Version{first}}
}

func TestARightFleetPasses(t *testing.T) {
	for seed := range uint64(200) {
		for _, one := range fleet(seed).Check(1) {
			if one.Verdict != history.Pass {
				t.Fatalf("seed %d: %+v, %+v", seed, one, one.Violation)
			}
		}
	}
}

// find is the instance whose versions a condition holds for first.
func find(r *placements.Recording, phase candor.InstancePhase) *history.Versions {
	for i := range r.Versions {
		v := &r.Versions[i]
		if o := v.Versions[len(v.Versions)-1].Object; len(o.Status) > 0 && string(o.Status[:len(`{"phase":"`)+len(phase)]) == `{"phase":"`+string(phase) {
			return v
		}
	}
	return nil
}

func TestEachCorruptionIsFound(t *testing.T) {
	for _, c := range []struct {
		name, property string
		do             func(r *placements.Recording)
	}{
		{"it moves", place, func(r *placements.Recording) {
			v := find(r, candor.InstancePlaced)
			v.Versions = append(v.Versions, version(v.Revision, 0, moved(v, placed("Placed", 7))))
		}},
		{"it loses its place", place, func(r *placements.Recording) {
			v := find(r, candor.InstancePlaced)
			v.Versions = append(v.Versions, version(v.Revision, 0, moved(v, `{"phase":"Pending"}`)))
		}},
		{"another node of the same name", place, func(r *placements.Recording) {
			v := find(r, candor.InstanceFailed)
			v.Versions[1].Object = moved(v, `{"phase":"Placed","node":"w0","nodeUID":"older"}`)
		}},
		{"a second end", end, func(r *placements.Recording) {
			v := find(r, candor.InstanceFailed)
			v.Versions = append(v.Versions, version(v.Revision, 0, moved(v, placed("Succeeded", 0))))
		}},
		{"back from the end", end, func(r *placements.Recording) {
			v := find(r, candor.InstanceLost)
			v.Versions = append(v.Versions, version(v.Revision, 0, moved(v, placed("Placed", 0))))
		}},
		{"one too many", capacity, func(r *placements.Recording) {
			born := version(r.Versions[0].Revision-2, r.Versions[0].Revision-2, instance(90, 5, `{}`))
			v := kept(candor.KindInstances, "i90", born)
			v.Versions = append(v.Versions, version(born.Revision+1, born.Revision, instance(90, 5, placed("Placed", 1))))
			v.Revision = r.Versions[0].Revision
			r.Versions = append(r.Versions, v)
		}},
		{"needs that were not counted", capacity, func(r *placements.Recording) {
			for i := range r.Versions {
				for j := range r.Versions[i].Versions {
					if o := r.Versions[i].Versions[j].Object; len(o.Spec) > 0 {
						o.Spec = []byte(`{"command":["x"],"resources":{"cpu":"3"}}`)
					}
				}
			}
		}},
		{"a cordoned node", open, func(r *placements.Recording) {
			becomes(r, func(o *candor.Object) { o.Spec = []byte(`{"unschedulable":true}`) })
		}},
		{"a node that is drained", open, func(r *placements.Recording) {
			becomes(r, func(o *candor.Object) { o.Spec = []byte(`{"drain":true}`) })
		}},
		{"a node that is not ready", open, func(r *placements.Recording) {
			becomes(r, func(o *candor.Object) { o.Status = []byte(`{"conditions":[{"type":"Ready","status":"False"}]}`) })
		}},
		{"a node whose readiness is not known", open, func(r *placements.Recording) {
			becomes(r, func(o *candor.Object) { o.Status = nil })
		}},
		{"a node that is being deleted", open, func(r *placements.Recording) {
			becomes(r, func(o *candor.Object) { o.Metadata.DeletionTime = time.Unix(1, 0) })
		}},
		{"a node that is gone", open, func(r *placements.Recording) {
			for n := range 2 {
				r.Versions[n].Versions = append(r.Versions[n].Versions, history.Version{Revision: 9, Deleted: true})
			}
		}},
		{"another node than was meant", open, func(r *placements.Recording) {
			becomes(r, func(o *candor.Object) { o.Metadata.UID = "younger" })
		}},
		{"a taint", open, func(r *placements.Recording) {
			tainted(r, `[{"key":"gpu","effect":"NoSchedule"}]`)
		}},
		{"a taint that evicts", open, func(r *placements.Recording) {
			tainted(r, `[{"key":"gpu","effect":"NoExecute"}]`)
		}},
		{"two machines", machine, func(r *placements.Recording) {
			c := r.Claims[3]
			c.Node = "w9"
			r.Claims = append(r.Claims, c)
		}},
		{"two workers of one machine", machine, func(r *placements.Recording) {
			c := r.Claims[3]
			c.Session = "another"
			r.Claims = append(r.Claims, c)
		}},
		{"a claim that never ended", machine, func(r *placements.Recording) {
			c := r.Claims[3]
			r.Claims[3].To = history.Stamp{}
			c.Node, c.From, c.To = "w9", history.Stamp{At: 1e6, Seq: 1e6}, history.Stamp{}
			r.Claims = append(r.Claims, c)
		}},
		{"another decision", decision, func(r *placements.Recording) {
			r.Decisions[2].Replay = candor.Replay{Reason: candor.ReasonDecisionDiffers, Message: "node: was w0, is w1"}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(10) {
				r := fleet(seed)
				c.do(r)
				for _, one := range r.Check(1) {
					if one.Property == c.property && (one.Verdict != history.Violated || len(one.Violation.Exhibits) == 0) {
						t.Errorf("seed %d: %s: %s", seed, one.Property, one.Verdict)
					}
				}
			}
		})
	}
}

func tainted(r *placements.Recording, taints string) {
	becomes(r, func(o *candor.Object) { o.Spec = []byte(`{"taints":` + taints + `}`) })
}

// becomes has both nodes be something else before anything is placed.
func becomes(r *placements.Recording, change func(o *candor.Object)) {
	for n := range 2 {
		first := &r.Versions[n].Versions[0]
		o := *first.Object
		change(&o)
		r.Versions[n].Versions = append(r.Versions[n].Versions, version(9, first.Create, &o))
	}
}

func moved(v *history.Versions, status string) *candor.Object {
	o := *v.Versions[len(v.Versions)-1].Object
	o.Status = []byte(status)
	return &o
}

// TestWhatIsNotKnownIsHeldAgainstNobody: a node that has more after it was read, an
// instance that may be gone since it was read, a place taken before what is kept.
func TestWhatIsNotKnownIsHeldAgainstNobody(t *testing.T) {
	for name, spoil := range map[string]func(r *placements.Recording){
		"nodes were read early": func(r *placements.Recording) { r.Versions[0].Revision, r.Versions[1].Revision = 10, 10 },
		"nobody read a node":    func(r *placements.Recording) { r.Versions = r.Versions[2:] },
		"the beginning is compacted": func(r *placements.Recording) {
			for i := range r.Versions[2:] {
				if v := &r.Versions[i+2]; len(v.Versions) > 1 {
					v.Versions = v.Versions[1:]
				}
			}
		},
		"nodes become closed once all is placed": func(r *placements.Recording) {
			for n := range 2 {
				first := r.Versions[n].Versions[0]
				o := *first.Object
				o.Spec = []byte(`{"unschedulable":true}`)
				r.Versions[n].Versions = append(r.Versions[n].Versions, version(r.Versions[n].Revision, first.Create, &o))
			}
		},
		"what nodes were at first is compacted": func(r *placements.Recording) {
			for n := range 2 {
				first := &r.Versions[n].Versions[0]
				o := *first.Object
				o.Spec = []byte(`{"drain":true}`)
				*first = version(r.Versions[n].Revision, first.Create, &o)
			}
		},
		"a taint came while it was decided": func(r *placements.Recording) {
			tainted(r, `[{"key":"gpu","effect":"NoSchedule"}]`)
			for i := range r.Versions[2:] {
				if v := r.Versions[i+2].Versions; len(v) > 1 {
					v[1].Cause = &candor.Cause{ReadToken: candor.Token{Revision: 3}}
				}
			}
		},
		"a taint that is borne, and one that only warns": func(r *placements.Recording) {
			tainted(r, `[{"key":"gpu","effect":"NoSchedule"},{"key":"old","effect":"PreferNoSchedule"}]`)
			for i := range r.Versions[2:] {
				for _, v := range r.Versions[i+2].Versions {
					v.Object.Spec = append([]byte(`{"tolerations":[{"key":"gpu"}],`), v.Object.Spec[1:]...)
				}
			}
		},
		"decisions are gone": func(r *placements.Recording) {
			for i := range r.Decisions {
				r.Decisions[i].Replay = candor.Replay{Reason: candor.ReasonReplayUnavailable}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := fleet(4)
			spoil(r)
			for _, one := range r.Check(1) {
				if one.Verdict == history.Violated {
					t.Errorf("%+v", one.Violation)
				}
			}
		})
	}
}
