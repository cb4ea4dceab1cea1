package workload_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/workload"
	"github.com/candor-plane/candor/verify/evidence"
	"github.com/candor-plane/candor/verify/history"
)

// doctored is a record of each workload as a cluster that breaks a promise would have
// left it: what is wrong, and the check that has to say so.
var doctored = map[string]struct {
	wrong  string
	by     evidence.Name
	doctor func(e *evidence.Evidence, operations []history.Operation) bool
}{
	workload.Registers: {"a STRONG read of a value that was written over", evidence.Linearizability, staleRead(
		func(o *history.Operation) bool {
			return o.Kind == history.KindGet && o.Freshness() == candor.FreshnessStrong
		})},
	workload.Lists: {"an append to a list that had grown since it was read", evidence.Linearizability, staleRead(workload.Compared)},
	workload.Transactions: {"a list with a part of what a transaction had replaced", evidence.Linearizability, staleRead(
		func(o *history.Operation) bool { return o.Kind == history.KindList && o.Scope != "" })},
	workload.Readers:    {"a BOUNDED read that was answered with what another was seconds before", evidence.Staleness, oldAnswer},
	workload.Watchers:   {"an event left out", evidence.Watches, lostEvent},
	workload.Numbers:    {"a number that two were given", evidence.Tenures, numberTwice},
	workload.Holders:    {"a write under an era that was over", evidence.Tenures, lateAct},
	workload.Placements: {"an instance that moves", evidence.Placements, movedInstance},
}

// wantCaught doctors a record that passes.
func wantCaught(t *testing.T, name string, e *evidence.Evidence) {
	t.Helper()
	d := doctored[name]
	var operations []history.Operation
	for o := range e.History.All() {
		operations = append(operations, *o)
	}
	if !d.doctor(e, operations) {
		t.Fatalf("the record has no place for it: %s", d.wrong)
	}
	h, err := history.New(operations)
	if err != nil {
		t.Fatal(err)
	}
	e.History = h
	for _, r := range evidence.Check(e, evidence.Demands{Only: []evidence.Name{d.by}}).Reports {
		if r.Verdict == history.Violated {
			t.Logf("%s: %s", d.wrong, r.Violation.Sentence)
			return
		}
	}
	t.Errorf("%s: %s does not say so", d.wrong, d.by)
}

// staleRead has one of some reads show what had been there before.
func staleRead(of func(*history.Operation) bool) func(*evidence.Evidence, []history.Operation) bool {
	return func(_ *evidence.Evidence, operations []history.Operation) bool {
		older := map[string]history.Item{} // the version before the newest, by key
		newest := map[string]history.Item{}
		done := false
		for i := range operations {
			o := &operations[i]
			if o.Outcome != history.OutcomeOK {
				continue
			}
			for n := range o.Items {
				item := &o.Items[n]
				old, is := older[item.Key]
				if is && of(o) && !item.Absent && old.Version < item.Version && !done && i > len(operations)/2 {
					o.Items = append([]history.Item(nil), o.Items...)
					o.Items[n].Value, o.Items[n].Version = old.Value, old.Version
					done = true
					break
				}
				if o.Kind.Reads() && !item.Absent && item.Version > newest[item.Key].Version {
					if was, is := newest[item.Key]; is {
						older[item.Key] = was
					}
					newest[item.Key] = *item
				}
			}
		}
		return done
	}
}

// oldAnswer gives a BOUNDED read the answer that another had long before, witness and all.
func oldAnswer(_ *evidence.Evidence, operations []history.Operation) bool {
	bounded := func(o *history.Operation) bool {
		return o.Kind == history.KindGet && o.Freshness() == candor.FreshnessBounded && o.Outcome == history.OutcomeOK && o.At == 0
	}
	for i := range operations {
		for n := range operations[:i] {
			o, old := &operations[i], &operations[n]
			if bounded(o) && bounded(old) && o.Items[0].Key == old.Items[0].Key && time.Duration(o.Invoke-old.Return) > 5*time.Second/2 &&
				o.Asked.MaxStaleness != nil && *o.Asked.MaxStaleness <= time.Second {
				o.Items, o.Token, o.Witness = old.Items, old.Token, old.Witness
				return true
			}
		}
	}
	return false
}

// lostEvent leaves an event out of the middle of a watch of everything.
func lostEvent(e *evidence.Evidence, _ []history.Operation) bool {
	for i := range e.Watches {
		w := &e.Watches[i]
		for n := range w.Batches {
			if b := &w.Batches[n]; w.Selector == "" && w.Name == "" && n > 0 && n < len(w.Batches)-1 && len(b.Events) == 1 {
				w.Batches = append(w.Batches[:n:n], w.Batches[n+1:]...)
				return true
			}
		}
	}
	return false
}

func numberTwice(e *evidence.Evidence, _ []history.Operation) bool {
	for i := range e.Numbers {
		for n := range e.Numbers[:i] {
			if a, b := &e.Numbers[n], &e.Numbers[i]; a.Duty == b.Duty && a.Holder == b.Holder {
				b.First = a.First
				return true
			}
		}
	}
	return false
}

// lateAct has an era's first write have come after all others.
func lateAct(e *evidence.Evidence, _ []history.Operation) bool {
	for i := range e.Acts {
		for n := range e.Acts[:i] {
			if first, last := &e.Acts[n], &e.Acts[i]; first.Duty == last.Duty && first.Era+1 < last.Era {
				first.Revision = last.Revision
				return true
			}
		}
	}
	return false
}

// movedInstance has an instance that was placed be somewhere else later.
func movedInstance(e *evidence.Evidence, _ []history.Operation) bool {
	for i := range e.Versions {
		v := &e.Versions[i]
		if !strings.HasPrefix(v.Key, string(candor.KindInstances)+"/") || len(v.Versions) == 0 {
			continue
		}
		last := v.Versions[len(v.Versions)-1].Object
		var status candor.InstanceStatus
		if len(v.Versions) < 3 || json.Unmarshal(last.Status, &status) != nil || status.Node == "" {
			continue
		}
		status.Node, status.NodeUID = "elsewhere", "another"
		text, err := json.Marshal(status)
		if err != nil {
			return false
		}
		last.Status = text
		return true
	}
	return false
}
