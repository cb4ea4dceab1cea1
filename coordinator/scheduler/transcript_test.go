package scheduler

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/candor-plane/candor"
)

// Every file is one cluster; what is applied stays for the commands below it.
func TestDecisionsReadAsTheTranscriptsSay(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			return
		}
		w := &scene{m: NewModel(), revision: 100}
		w.queue = NewQueue(w.m)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return w.run(t, d) })
	})
}

type scene struct {
	m        *Model
	queue    *Queue
	revision uint64
	kept     []Outcome
}

func (s *scene) run(t *testing.T, d *datadriven.TestData) string {
	s.revision++
	s.m.Advance(candor.Token{Term: 7, Index: s.revision, Revision: s.revision})
	var refs []candor.Ref
	for _, arg := range d.CmdArgs {
		if len(arg.Vals) == 0 {
			refs = append(refs, instanceRef(arg.Key))
		}
	}
	switch d.Cmd {
	case "node":
		return s.applied(t, candor.KindNodes, s.node(t, d))
	case "instance":
		return s.applied(t, candor.KindInstances, s.instance(t, d))
	case "budget":
		return s.applied(t, candor.KindDisruptionBudgets, budgetObject(d.CmdArgs[0].Key, text(d, "instances"), int32(number(t, d, "allowed")), s.revision))
	case "remove":
		return s.told(s.m.Remove(refs[0]))
	case "remove-node":
		return s.told(s.m.Remove(candor.Ref{Kind: candor.KindNodes, Name: d.CmdArgs[0].Key}))
	case "explain":
		o, err := Decide(s.m, refs[0], Explain)
		if err != nil {
			return err.Error()
		}
		brief, _ := Decide(s.m, refs[0], Brief)
		if brief.Decision.Digest != o.Decision.Digest {
			t.Errorf("explaining changed the digest")
		}
		return explained(o.Explanation)
	case "batch":
		Order(s.m, refs)
		s.kept = Batch(s.m, refs)
		return decided(s.kept)
	case "pending":
		return fmt.Sprint(s.m.Pending())
	case "replay":
		return s.replay(d)
	case "impossible":
		var template candor.InstanceTemplate
		if err := json.Unmarshal([]byte(d.Input), &template); err != nil {
			t.Fatal(err)
		}
		reasons, impossible, err := Impossible(s.m, "default", &template)
		return fmt.Sprint(impossible, reasons, err)
	case "next":
		s.kept = Batch(s.m, s.queue.Next(MaxBatch))
		s.queue.Decided(s.kept)
		active, proposed, blocked := s.queue.Len()
		return decided(s.kept) + fmt.Sprintf("active %d, proposed %d, blocked %d\n", active, proposed, blocked)
	case "plan":
		return s.plan(t, d)
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

func (s *scene) applied(t *testing.T, kind candor.KindName, obj *candor.Object) string {
	e, err := s.m.Apply(obj, kind)
	if err != nil {
		return err.Error()
	}
	_ = t
	return s.told(e)
}

func (s *scene) told(e Event) string {
	woken := s.queue.Woken(e)
	if len(woken) == 0 {
		return "ok"
	}
	return fmt.Sprintf("woken %v", woken)
}

func text(d *datadriven.TestData, key string) string {
	for _, arg := range d.CmdArgs {
		if arg.Key == key && len(arg.Vals) > 0 {
			return strings.Join(arg.Vals, ",")
		}
	}
	return ""
}

func flag(d *datadriven.TestData, key string) bool {
	for _, arg := range d.CmdArgs[1:] {
		if arg.Key == key && len(arg.Vals) == 0 {
			return true
		}
	}
	return false
}

func number(t *testing.T, d *datadriven.TestData, key string) int {
	if text(d, key) == "" {
		return 0
	}
	n, err := strconv.Atoi(text(d, key))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (s *scene) node(t *testing.T, d *datadriven.TestData) *candor.Object {
	n := nodeSetup{name: d.CmdArgs[0].Key, labels: map[string]string{}, cordon: flag(d, "cordon"), drain: flag(d, "drain"), unready: flag(d, "unready")}
	if zone := text(d, "zone"); zone != "" {
		n.labels["zone"], n.labels[candor.LabelZone] = zone, zone
	}
	if !flag(d, "unknown") {
		n.capacity = amounts(t, fmt.Sprintf(`{"cpu":%q,"memory":%q}`, orElse(text(d, "cpu"), "8"), orElse(text(d, "memory"), "8Gi")))
	}
	if taint := text(d, "taint"); taint != "" {
		key, effect, _ := strings.Cut(taint, ":")
		n.taints = []candor.Taint{{Key: key, Effect: candor.TaintEffect(effect)}}
	}
	return nodeObject(n, s.revision)
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func (s *scene) instance(t *testing.T, d *datadriven.TestData) *candor.Object {
	i := instanceSetup{
		name: d.CmdArgs[0].Key, node: text(d, "node"), nominated: text(d, "nominated"), created: uint64(number(t, d, "created")),
		ending: flag(d, "ending"), ended: flag(d, "ended"), labels: map[string]string{},
	}
	if app := text(d, "workload"); app != "" {
		i.labels[candor.LabelWorkload] = app
	}
	if d.Input != "" {
		if err := json.Unmarshal([]byte(d.Input), &i.spec); err != nil {
			t.Fatal(err)
		}
	}
	i.spec.Priority, i.spec.Preempts = int32(number(t, d, "priority")), flag(d, "preempts")
	return instanceObject(i, s.revision)
}

func (s *scene) replay(d *datadriven.TestData) string {
	var earlier []Earlier
	for _, o := range s.kept {
		if o.Ref == instanceRef(d.CmdArgs[0].Key) {
			s.m.Advance(o.Decision.Token)
			if flag(d, "algorithm") {
				o.Decision.Algorithm++
			}
			if flag(d, "forged") {
				o.Decision.Node = "w9"
			}
			r := Replay(s.m, earlier, o.Ref, &o.Decision)
			return fmt.Sprintf("same=%v %s %s", r.Same, r.Reason, r.Message)
		}
		earlier = append(earlier, Earlier{Ref: o.Ref, Decision: o.Decision})
	}
	return "nothing was decided about it"
}

func (s *scene) plan(t *testing.T, d *datadriven.TestData) string {
	var changes []Change
	for line := range strings.SplitSeq(d.Input, "\n") {
		words := strings.Fields(line)
		switch words[0] {
		case "delete":
			changes = append(changes, Change{Ref: instanceRef(words[1])})
		case "drain":
			changes = append(changes, Change{
				Ref:    candor.Ref{Kind: candor.KindNodes, Name: words[1]},
				Object: nodeObject(nodeSetup{name: words[1], drain: true, capacity: amounts(t, `{"cpu":"8","memory":"8Gi"}`)}, 0),
			})
		case "create":
			obj := instanceObject(instanceSetup{name: words[1], spec: candor.InstanceSpec{InstanceTemplate: candor.InstanceTemplate{
				Resources: amounts(t, words[2]),
			}}}, 0)
			obj.Metadata.UID = ""
			changes = append(changes, Change{Ref: instanceRef(words[1]), Object: obj})
		}
	}
	p, err := Plan(s.m, changes)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("at %d\ncreates %v\ndeletes %v\ndisplaced %v\nplaced\n%spreempting\n%snowhere\n%s",
		p.Token.Revision, p.Creates, p.Deletes, p.Displaced, decided(p.Placements), decided(p.Preemptions), decided(p.Unplaceable))
}

func decided(all []Outcome) string {
	var b strings.Builder
	for _, o := range all {
		d := o.Decision
		fmt.Fprintf(&b, "%s %s %s %s", d.ID, o.Ref.Name, d.Verdict, d.Node)
		for _, r := range d.Reasons {
			fmt.Fprintf(&b, " %d×%s", r.Nodes, r.Reason)
		}
		if len(d.Best) > 0 {
			fmt.Fprintf(&b, " best %v margin %d %s", d.Best, d.Margin, d.TieBreak)
		}
		if len(d.Victims) > 0 {
			fmt.Fprintf(&b, " victims %v", d.Victims)
		}
		for _, use := range o.Budgets {
			fmt.Fprintf(&b, " takes %d of %s, leaves %d", len(use.Instances), use.Ref.Name, use.Status.Allowed)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func explained(e *candor.Explanation) string {
	var b strings.Builder
	fmt.Fprintln(&b, e.Headline)
	for _, row := range e.Nodes {
		fmt.Fprint(&b, strings.Join(row.Nodes, ","))
		if row.Fits {
			fmt.Fprintf(&b, " yes %d =", row.Score)
			for _, part := range row.Scores {
				fmt.Fprintf(&b, " %s %d×%d", part.Name, part.Score, part.Weight)
			}
		}
		for _, r := range row.Reasons {
			fmt.Fprintf(&b, " | %s: need %s; have %s", r.Reason, r.Need, r.Have)
		}
		fmt.Fprintln(&b)
	}
	for _, c := range e.Changes {
		fmt.Fprintf(&b, "fits if: %s -> %s (%s=%s)\n", c.Change, c.Node, c.Field, c.Value)
	}
	for _, f := range e.Facts {
		fmt.Fprintln(&b, "fact:", f)
	}
	if e.Next != "" {
		fmt.Fprintln(&b, "next:", e.Next)
	}
	fmt.Fprintln(&b, "digest", e.Decision.Digest)
	return b.String()
}
