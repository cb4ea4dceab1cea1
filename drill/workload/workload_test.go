package workload_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

// lasts is how long the traffic does, in virtual time.
const lasts = 6 * time.Second

// demanded is what each workload's record must be worth: items checked, by check.
var demanded = map[string]map[evidence.Name]int{
	workload.Registers:    {evidence.Linearizability: 1500, evidence.Sessions: 800, evidence.Durability: 300},
	workload.Lists:        {evidence.Linearizability: 800, evidence.Sessions: 300, evidence.Durability: 100},
	workload.Transactions: {evidence.Linearizability: 2000, evidence.Sessions: 500, evidence.Durability: 200},
	workload.Watchers:     {evidence.Watches: 300, evidence.Durability: 100},
	workload.Readers:      {evidence.Staleness: 600, evidence.Sessions: 500, evidence.Linearizability: 800},
	workload.Numbers:      {evidence.Tenures: 200},
	workload.Holders:      {evidence.Tenures: 100, evidence.Durability: 40},
	workload.Placements:   {evidence.Placements: 50},
}

func TestTheRecordOfAHealthyClusterPassesAndNotThatOfABrokenPromise(t *testing.T) {
	for _, name := range workload.Names() {
		inBubble(t, name, func(t *testing.T) {
			e := drilled(t, newBubble(t), name, lasts, func() {})
			wantPass(t, name, e)
			wantCaught(t, name, e)
		})
	}
}

func TestTheRecordOfALeaderThatDiesPasses(t *testing.T) {
	if testing.Short() {
		t.Skip("the same traffic under the race detector is that of a healthy cluster; make test runs this")
	}
	for _, name := range workload.Names() {
		inBubble(t, name, func(t *testing.T) {
			b := newBubble(t)
			e := drilled(t, b, name, lasts, func() { b.Kill(b.Leader().Name()) })
			wantPass(t, name, e)
			if name != workload.Numbers && name != workload.Placements && len(e.History.Census().Refused) == 0 {
				t.Error("nothing was refused: nobody met the death")
			}
		})
	}
}

// wantPass judges the record as it comes back from its file.
func wantPass(t *testing.T, name string, e *evidence.Evidence) {
	t.Helper()
	var file bytes.Buffer
	if err := evidence.Write(&file, e); err != nil {
		t.Fatal(err)
	}
	read, err := evidence.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	s := evidence.Check(read, evidence.Demands{Demanded: demanded[name]})
	t.Log(s)
	if s.Verdict() != history.Pass {
		t.Errorf("%s\n%+v", s, s.Census)
	}
	for i := range read.Decisions {
		if !read.Decisions[i].Same {
			t.Errorf("decision %+v", read.Decisions[i])
		}
	}
}

// Without a cluster that answers, a workload goes on until it is told to end, and then
// ends: within its patience.
func TestRunEndsWithItsContextWhateverTheClusterDoes(t *testing.T) {
	for _, name := range workload.Names() {
		inBubble(t, name, func(t *testing.T) {
			b := newBubble(t)
			w, e := begun(t, b, name)
			for _, server := range b.names {
				b.Silence(server)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			began := time.Now()
			if err := w.Run(ctx, e); err != nil {
				t.Errorf("run: %v", err)
			}
			if took := time.Since(began); took < 3*time.Second || took > 6*time.Second {
				t.Errorf("it took %s, was given 3 s, and a call may take 1 s", took)
			}
			b.Heal()
		})
	}
}

// A second drill finds what the first left behind; Clean takes all of it away, and there
// is nothing to do for a second one.
func TestAClusterIsUsedAgainAndCleaned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		for range 2 {
			for _, name := range []string{workload.Registers, workload.Placements} {
				// Of one seed: what the first wrote must not pass for what the second did.
				e := drilled(t, b, name, 2*time.Second, func() {})
				if s := evidence.Check(e, evidence.Demands{}); s.Verdict() != history.Pass {
					t.Error(s)
				}
			}
		}
		for range 2 {
			if err := workload.Clean(ctx, b); err != nil {
				t.Fatal(err)
			}
		}
		k := b.Cluster.Client(t)
		left := []string{}
		for _, kind := range []candor.KindName{candor.KindKinds, candor.KindNamespaces, candor.KindNodes, candor.KindInstances, candor.KindWorkloads} {
			for o, err := range k.All(ctx, kind, client.ListOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				if o.Metadata.CreateRevision > 1 && kind != candor.KindKinds || o.Metadata.Name == string(workload.Kind) {
					left = append(left, o.Kind+" "+o.Metadata.Name)
				}
			}
		}
		if len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

func TestTheScenarioSetsTheSizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, e := begun(t, newBubble(t), workload.Registers)
		e.Load = scenario.Workload{Name: workload.Registers, Clients: 2, Pause: scenario.Duration(200 * time.Millisecond), Keys: 1}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := w.Run(ctx, e); err != nil {
			t.Fatal(err)
		}
		recorded, err := e.Recorder.Evidence()
		if err != nil {
			t.Fatal(err)
		}
		clients, keys := map[string]int{}, map[string]bool{}
		for o := range recorded.History.All() {
			if o.Client == "preparing-registers" || workload.Compared(o) {
				continue
			}
			clients[o.Client]++
			for i := range o.Items {
				if o.Kind != history.KindList {
					keys[o.Items[i].Key] = true
				}
			}
		}
		for name, n := range clients {
			if n < 30 || n > 110 {
				t.Errorf("%s called %d times in 10 s with pauses of 200 ms", name, n)
			}
		}
		if len(clients) != 2 || len(keys) != 1 {
			t.Errorf("clients %v and keys %v, want 2 and 1", clients, keys)
		}
	})
}

func TestNamesAreThoseOfTheScenarios(t *testing.T) {
	want := []string{"holders", "lists", "numbers", "placements", "readers", "registers", "transactions", "watchers"}
	if diff := cmp.Diff(want, workload.Names()); diff != "" {
		t.Error(diff)
	}
	for _, name := range want {
		if w, known := workload.Named(name); !known || w.Name() != name {
			t.Errorf("%s is known: %t, as %v", name, known, w)
		}
	}
	if _, known := workload.Named("jobs"); known {
		t.Error("jobs are known")
	}
}

// begun is a workload that is prepared.
func begun(t *testing.T, b *bubble, name string) (workload.Workload, *workload.Env) {
	t.Helper()
	w, known := workload.Named(name)
	if !known {
		t.Fatalf("no workload is named %s", name)
	}
	e := &workload.Env{Cluster: b, Recorder: evidence.NewRecorder(), Rand: rand.New(rand.NewPCG(7, 7)), Load: scenario.Workload{Name: name}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.Prepare(ctx, e); err != nil {
		t.Fatal(err)
	}
	return w, e
}
