package server

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/informer"
	"github.com/candor-plane/candor/server/feed"
)

// controlled is what the API tells of controllers: those that servers run, and what
// they did here.
type controlled struct{ s *Server }

// Graph is the same on every server of a build.
func (c controlled) Graph() []candor.ControllerNode {
	store := informer.New(feed.WorkKinds(), workIndexes...)
	var out []candor.ControllerNode
	for _, declared := range c.s.builtInControllers(store) {
		node := candor.ControllerNode{Name: declared.Name, Duty: tenure.DutyControllers}
		for _, in := range declared.Inputs {
			node.Inputs = append(node.Inputs, candor.ControllerEdge{Kind: in.Kind})
		}
		for _, o := range declared.Outputs {
			mode := string(o.Section)
			if o.Shared {
				mode += ", shared"
			}
			node.Outputs = append(node.Outputs, candor.ControllerEdge{Kind: o.Kind, Mode: mode})
		}
		out = append(out, node)
	}
	return out
}

// Reconciliations are the newest of each controller, while its duty is held here.
func (c controlled) Reconciliations(ref candor.Ref) []candor.Reconciliation {
	runtime := c.s.controllers.Load()
	if runtime == nil {
		return nil
	}
	now := (&candidate{c.s}).Now().ClusterTime
	var out []candor.Reconciliation
	for _, name := range runtime.Graph().Controllers {
		looks := runtime.Looks(name.Name, ref)
		if len(looks) == 0 {
			continue
		}
		out = append(out, reconciliation(name.Name, ref, &looks[len(looks)-1], now))
	}
	return out
}

func reconciliation(name string, ref candor.Ref, l *controller.Look, now int64) candor.Reconciliation {
	r := candor.Reconciliation{
		Controller: name, Object: ref, Looked: l.Token, At: now - int64(time.Since(l.At)),
		Result: string(l.Outcome), Message: l.Reason, Revision: l.Revision,
	}
	if r.Message == "" && l.Writes == 0 {
		r.Message = "nothing to do"
	}
	return r
}
