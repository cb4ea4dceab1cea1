package monitor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
)

// TestTranscripts runs the transcripts. Commands:
//
//	put              one revision of the objects below, a line each, in shorthand; see short
//	gone REF...      one revision in which they go
//	silence NODE     its worker is heard of no more; "never": it was not heard of at all
//	hear NODE        it is again
//	promise DURATION every beat was promised to count for so long
//	vacate DUTY      nobody holds it any more
//	hold DUTY        somebody does again
//	seal DUTY        an era before the present one is sealed, and its handover is not over
//	finish DUTY      it is
//	stall ID         a transition is past its deadline; "blind": nobody can tell
//	restart          another holder of the duty verify, who knows the findings alone
//	look DURATION    a look at once and each second until then; prints what is written
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		s := newScene(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return s.command(t, d) })
	})
}

func (s *scene) command(t *testing.T, d *datadriven.TestData) string {
	arg := ""
	if len(d.CmdArgs) > 0 {
		arg = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "put":
		var versions []informer.Version
		for line := range strings.Lines(d.Input) {
			versions = append(versions, object(t, strings.TrimSpace(line)))
		}
		s.put(t, versions...)
	case "gone":
		var versions []informer.Version
		for _, a := range d.CmdArgs {
			item := s.store.Read().Get(refOf(a.Key))
			versions = append(versions, informer.Version{Kind: item.KindName(), Object: item.Object, Gone: true})
		}
		s.put(t, versions...)
	case "silence":
		s.silent[arg] = s.now
		if d.HasArg("never") {
			s.silent[arg] = 0
		}
	case "hear":
		delete(s.silent, arg)
	case "promise":
		promised, err := time.ParseDuration(arg)
		if err != nil {
			t.Fatal(err)
		}
		s.promised = promised
	case "vacate":
		s.vacant[arg] = true
	case "hold":
		delete(s.vacant, arg)
	case "seal":
		s.lineages = append(s.lineages, tenure.Lineage{
			Duty:       tenure.Duty{Name: arg},
			Current:    tenure.Era{Number: 4, Holder: "server/n2", State: tenure.StateActive, RenewedUntil: 1<<63 - 1},
			Unfinished: []tenure.Era{{Number: 3, Holder: "server/n1", State: tenure.StateSealed, SealedAt: s.now}},
		})
	case "finish":
		s.lineages = nil
	case "stall":
		s.standing, s.known = nil, true
		switch arg {
		case "blind":
			s.known = false
		case "none":
		default:
			s.standing = []Standstill{{ID: arg, Message: "member.add is PLANNED: NOT_ADMITTED", Next: "candor transition get " + arg, Owner: tenure.DutyTopology, Since: s.now}}
		}
	case "restart":
		s.restart()
	case "look":
		over, err := time.ParseDuration(arg)
		if err != nil {
			t.Fatal(err)
		}
		if out := s.look(t, over); out != "" {
			return out
		}
		return "nothing\n"
	default:
		t.Fatalf("%s: unknown command %q", d.Pos, d.Cmd)
	}
	return ""
}

// A storm opens no more findings than are kept, counts the others, shows what is grave
// first, and keeps those that were open.
func TestFindingsAreBounded(t *testing.T) {
	breach := func(p Promise, n int) Breach {
		return Breach{Since: int64(n), Claim: Claim{Promise: p, Subject: candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: fmt.Sprintf("web-%d", n)}, Message: "m"}}
	}
	var storm []Breach
	for n := range 1000 {
		storm = append(storm, breach(PendingIsPlaced, n))
	}
	s := newScene(t)
	judged := func(Promise) bool { return true }
	plan := func(breaches []Breach) []Step {
		steps := s.book.Plan(s.now, s.stored, breaches, judged)
		for _, step := range steps {
			s.write(step)
		}
		return steps
	}
	open := func() map[string]candor.FindingStatus {
		out := map[string]candor.FindingStatus{}
		for _, f := range s.stored {
			if f.Status.Open {
				out[f.Name] = f.Status
			}
		}
		return out
	}
	plan(storm)
	first := open()
	rest := Name(Key{Promise: EveryFindingIsShown, Subject: candor.Ref{Kind: candor.KindFindings, Name: "rest"}})
	if len(first) != MaxOpen || first[rest].Cause != "745 are not shown" {
		t.Fatalf("%d are open, the rest is told as %+v", len(first), first[rest])
	}
	grave := breach(CapacityNotExceeded, 5000)
	if steps := plan(append([]Breach{grave}, storm[100:]...)); len(open()) != MaxOpen || open()[Name(grave.Key())].Subject != grave.Subject {
		t.Fatalf("%d are open after %d steps, the grave one is not", len(open()), len(steps))
	}
	for n := 100; n < MaxOpen-2; n++ {
		if _, is := open()[Name(storm[n].Key())]; !is {
			t.Errorf("%s was open and makes way for another", storm[n].Subject)
		}
	}
	plan(nil)
	if left := open(); len(left) != 0 {
		t.Errorf("%d stay open", len(left))
	}
	s.now += int64(Retention) + 1
	plan(nil)
	if len(s.stored) != 0 {
		t.Errorf("%d are kept for ever", len(s.stored))
	}
}

// The names of findings are the same at every holder, and different for different things.
func TestNamesOfFindings(t *testing.T) {
	long := candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: strings.Repeat("a-very.long-name.", 14) + "end"}
	seen := map[string]Key{}
	for _, key := range []Key{
		{PendingIsPlaced, long},
		{DesiredIsReal, long},
		{PendingIsPlaced, candor.Ref{Kind: candor.KindInstances, Namespace: "other", Name: long.Name}},
		{HandoverEnds, candor.Ref{Kind: candor.KindTenures, Name: "control.web"}},
		{OneWriterPerField, candor.Ref{Kind: "widgets.example.com", Name: "-"}},
	} {
		name := Name(key)
		if err := candor.CheckName("name", name); err != nil {
			t.Error(err)
		}
		if other, twice := seen[name]; twice || name != Name(key) {
			t.Errorf("%+v and %+v are both %s", other, key, name)
		}
		seen[name] = key
	}
}
