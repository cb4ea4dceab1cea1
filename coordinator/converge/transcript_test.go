package converge

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
)

// headline is what a status says in a word.
func (w *world) headline(op controller.UpdateStatus) string {
	var status struct {
		Phase   string `json:"phase"`
		Allowed *int   `json:"allowed"`
	}
	if err := json.Unmarshal(op.Status, &status); err != nil {
		panic(err)
	}
	if status.Allowed != nil {
		return fmt.Sprintf(" (allows %d)", *status.Allowed)
	}
	return " (" + status.Phase + ")"
}

// TestStories runs the transcripts. Commands:
//
//	node NAME...                        nodes with live workers
//	workload NAME key=value...          see specOf
//	set NAME key=value...               changes a workload's spec
//	budget NAME selector=S min=N|max=N
//	drain, undrain, cordon, uncordon, kill, revive, gone NODE
//	policy ACTION                       of every node: 15 s to detect, 30 s to act
//	taint NODE KEY
//	delete WORKLOAD
//	advance DURATION                    cluster time goes on, live workers beat
//	settle [mute]                       everybody does what there is to do; prints the writes
//	step                                one round of the controllers; prints the writes
//	show                                the state
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := newWorld()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return w.command(t, d)
		})
	})
}

func (w *world) command(t *testing.T, d *datadriven.TestData) string {
	name := ""
	if len(d.CmdArgs) > 0 {
		name = d.CmdArgs[0].Key
	}
	node := candor.Ref{Kind: candor.KindNodes, Name: name}
	work := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: name}
	w.log = nil
	switch d.Cmd {
	case "node":
		for _, arg := range d.CmdArgs {
			w.addNode(arg.Key)
		}
	case "workload":
		spec := candor.WorkloadSpec{Template: candor.InstanceTemplate{Command: []string{"run"}}}
		change(t, d, &spec)
		w.addWorkload(name, spec)
	case "set":
		w.respec(work, func(spec *candor.WorkloadSpec) { change(t, d, spec) })
	case "budget":
		w.addBudget(name, budgetOf(t, d))
	case "drain", "undrain":
		w.renode(node, func(spec *candor.NodeSpec) { spec.Drain = d.Cmd == "drain" })
	case "cordon", "uncordon":
		w.renode(node, func(spec *candor.NodeSpec) { spec.Unschedulable = d.Cmd == "cordon" })
	case "policy":
		w.rule(name)
	case "taint":
		w.renode(node, func(spec *candor.NodeSpec) {
			spec.Taints = append(spec.Taints, candor.Taint{Key: d.CmdArgs[1].Key, Effect: candor.NoExecute})
		})
	case "kill":
		w.dead[name] = true
	case "revive":
		delete(w.dead, name)
		w.beat()
	case "gone":
		w.must(controller.Delete{Ref: node})
	case "delete":
		w.must(controller.Delete{Ref: work})
	case "advance":
		by, err := time.ParseDuration(name)
		if err != nil {
			t.Fatal(err)
		}
		w.advance(by)
	case "settle":
		w.settle()
		if name == "mute" {
			return ""
		}
		return w.said()
	case "step":
		w.round()
		return w.said()
	case "show":
		return w.show()
	default:
		t.Fatalf("unknown command %s", d.Cmd)
	}
	return ""
}

func (w *world) said() string {
	if len(w.log) == 0 {
		return "nothing to do\n"
	}
	return strings.Join(w.log, "\n") + "\n"
}

// change applies replicas=, unavailable=, surge=, ready=, deadline=, rollback=, paused=,
// version=, mode=, restart= and class=.
func change(t *testing.T, d *datadriven.TestData, spec *candor.WorkloadSpec) {
	t.Helper()
	for _, arg := range d.CmdArgs[1:] {
		value := arg.Vals[0]
		number, _ := strconv.Atoi(value)
		switch arg.Key {
		case "replicas":
			spec.Replicas = int32(number)
		case "unavailable":
			spec.Update.MaxUnavailable = &candor.Share{Count: int32(number)}
		case "surge":
			spec.Update.MaxSurge = &candor.Share{Count: int32(number)}
		case "ready":
			spec.Update.MinReadySeconds = int32(number)
		case "deadline":
			spec.Update.DeadlineSeconds = int32(number)
		case "rollback":
			spec.Update.Rollback = value == "true"
		case "paused":
			spec.Paused = value == "true"
		case "version":
			spec.Template.Command = []string{"run", value}
		case "mode":
			spec.Template.Env = map[string]string{"MODE": value}
		case "restart":
			spec.Template.Restart = candor.RestartPolicy(value)
		case "class":
			spec.Template.PriorityClass = value
		default:
			t.Fatalf("unknown key %s", arg.Key)
		}
	}
}

func budgetOf(t *testing.T, d *datadriven.TestData) candor.DisruptionBudgetSpec {
	t.Helper()
	var spec candor.DisruptionBudgetSpec
	for _, arg := range d.CmdArgs[1:] {
		number, _ := strconv.Atoi(arg.Vals[0])
		switch arg.Key {
		case "workload":
			spec.Instances = candor.LabelWorkload + "=" + arg.Vals[0]
		case "min":
			spec.MinAvailable = &candor.Share{Count: int32(number)}
		case "max":
			spec.MaxUnavailable = &candor.Share{Count: int32(number)}
		default:
			t.Fatalf("unknown key %s", arg.Key)
		}
	}
	return spec
}

// show is the state, an object a line.
func (w *world) show() string {
	var b strings.Builder
	for _, ref := range w.refs() {
		switch ref.Kind {
		case candor.KindNodes:
			n := w.node(ref)
			fmt.Fprintf(&b, "%s %s, %d instances%s\n", ref, n.Status.Phase, n.Status.Instances, conditions(n.Status.Conditions))
		case candor.KindWorkloads:
			s := w.workload(ref).Status
			fmt.Fprintf(&b, "%s %s: revision %s stable %s, %d instances %d placed %d running %d ready %d updated %d available%s\n",
				ref, s.Phase, s.Revision, s.Stable, s.Instances, s.Placed, s.Running, s.Ready, s.Updated, s.Available, conditions(s.Conditions))
		case candor.KindInstances:
			i := w.instance(ref)
			ending := ""
			if i.Terminating() {
				ending = " ending"
			}
			fmt.Fprintf(&b, "%s %s on %s of %s%s%s\n", ref, i.Status.Phase, i.Status.Node, i.Object.Metadata.Labels[candor.LabelRevision], ending, conditions(i.Status.Conditions))
		case candor.KindDisruptionBudgets:
			s := w.budget(ref).Status
			fmt.Fprintf(&b, "%s %d of %d healthy, %d wanted, %d allowed, disrupted %v\n", ref, s.Healthy, s.Expected, s.Wanted, s.Allowed, s.Disrupted)
		default: // read by the controllers alone
		}
	}
	return b.String()
}

func conditions(all candor.Conditions) string {
	var b strings.Builder
	for _, c := range all {
		if c.Type != candor.ConditionScheduled {
			fmt.Fprintf(&b, "\n    %s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message)
		}
	}
	return b.String()
}
