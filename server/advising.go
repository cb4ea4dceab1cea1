package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/scheduler"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/literal"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// advice is what the API tells the author of an object, and the workload controller of
// a template, by this node's view. Any number of goroutines may ask.
type advice struct {
	machine *fsm.Machine

	mu    sync.Mutex
	model *scheduler.Model
	// touched is the revision of the newest change to a node that the model has, and
	// seen that of each node.
	touched uint64
	seen    map[string]uint64
}

func newAdvice(machine *fsm.Machine) *advice {
	return &advice{machine: machine, model: scheduler.NewModel(), seen: map[string]uint64{}}
}

// Advice is about a workload that would wait for ever as things are.
func (a *advice) Advice(kind candor.KindName, o *candor.Object) []string {
	if kind != candor.KindWorkloads || o == nil {
		return nil
	}
	var template candor.InstanceTemplate
	if json.Unmarshal(literal.Member(o.Spec, "template"), &template) != nil {
		return nil // who validates said so
	}
	view := a.machine.View()
	var out []string
	if name := template.PriorityClass; name != "" {
		if v, err := view.Get(candor.Ref{Kind: candor.KindPriorityClasses, Name: name}, 0); err == nil && v == nil {
			out = append(out, fmt.Sprintf("spec.template.priorityClass: there is no PriorityClass %q: no instance is made before there is", name))
		}
	}
	if ok, why := a.takes(view, &template); !ok {
		out = append(out, "spec.template: "+why)
	}
	return out
}

func (a *advice) takes(view *fsm.View, t *candor.InstanceTemplate) (ok bool, why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.follow(view)
	if a.model.Nodes() == 0 {
		return false, "no node could take it, for there is none"
	}
	return takes(a.model, t)
}

// follow brings the model to the view, at the cost of the nodes that changed. A view
// that is older than the model leaves it as it is.
func (a *advice) follow(view *fsm.View) {
	touched := view.Touched(candor.KindNodes)
	if touched <= a.touched {
		return
	}
	here := make(map[string]uint64, len(a.seen))
	err := view.List(candor.KindNodes, "", "", 0, func(v *mvcc.Version) bool {
		here[v.Key] = v.Revision
		if a.seen[v.Key] == v.Revision {
			return true
		}
		if o, err := v.Object(); err == nil {
			_, _ = a.model.Apply(o, candor.KindNodes) // the node controller says what cannot be read
		}
		return true
	})
	if err != nil {
		return
	}
	for key := range a.seen {
		if _, stays := here[key]; !stays {
			a.model.Remove(candor.Ref{Kind: candor.KindNodes, Name: strings.TrimPrefix(key, "/")})
		}
	}
	a.touched, a.seen = touched, here
}

// takes says whether some node of the model could ever take an instance of the template.
func takes(m *scheduler.Model, t *candor.InstanceTemplate) (ok bool, why string) {
	reasons, impossible, err := scheduler.Impossible(m, "", t)
	switch {
	case err != nil:
		return false, err.Error()
	case !impossible:
		return true, "some node could take it"
	}
	parts := make([]string, len(reasons))
	for i, r := range reasons {
		parts[i] = r.Reason
		if r.Nodes > 0 {
			parts[i] = fmt.Sprintf("%d %s", r.Nodes, r.Reason)
		}
	}
	return false, "no node could ever take it: " + strings.Join(parts, ", ")
}
