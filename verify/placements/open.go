package placements

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// site is one version of a node, as far as it says whether the node takes anything new.
// What became of it after until is not known.
type site struct {
	revision, until uint64
	name, uid       string
	// closed says why it takes nothing, whatever that is; empty where it does.
	closed string
	taints []candor.Taint
	// unread: it is not known what this version says.
	unread bool
}

func (w *world) site(read *history.Versions) {
	name := read.Key[strings.LastIndexByte(read.Key, '/')+1:]
	for i := range read.Versions {
		v := &read.Versions[i]
		s := site{revision: v.Revision, until: read.Revision, name: name}
		switch {
		case v.Deleted:
			s.closed = "was deleted"
		case v.Object == nil:
			s.unread = true // node has said so
		default:
			s.uid = v.Object.Metadata.UID
			s.say(v.Object)
		}
		w.sites[name] = append(w.sites[name], s)
	}
}

func (s *site) say(o *candor.Object) {
	var spec candor.NodeSpec
	var status candor.NodeStatus
	if len(o.Spec) > 0 && json.Unmarshal(o.Spec, &spec) != nil || len(o.Status) > 0 && json.Unmarshal(o.Status, &status) != nil {
		s.unread = true
		return
	}
	s.taints = spec.Taints
	switch {
	case o.Terminating():
		s.closed = "is being deleted"
	case spec.Unschedulable:
		s.closed = "is unschedulable"
	case spec.Drain:
		s.closed = "is being drained"
	case !status.Conditions.True(candor.ConditionReady):
		s.closed = "is not Ready"
	default: // it takes what it bears
	}
}

// repels is a taint that keeps an instance away.
func (s *site) repels(tolerates []candor.Toleration) (candor.Taint, bool) {
	for _, taint := range s.taints {
		borne := taint.Effect == candor.PreferNoSchedule
		for _, t := range tolerates {
			borne = borne || t.Tolerates(taint)
		}
		if !borne {
			return taint, true
		}
	}
	return candor.Taint{}, false
}

// open checks that an instance is placed on a node that took something new in the turn
// before: one that was there, Ready, not cordoned, drained or being deleted. Taints are
// looked at by whoever decides, and not by the turn: so one counts that was there all the
// time from what the decision had read until its turn. Items are placements.
func (w *world) open(least int) history.Report {
	r := history.Report{Property: "a closed node takes nothing new"}
	for i := range w.lives {
		l := &w.lives[i]
		for j := range l.steps {
			s := &l.steps[j]
			first := j == 0 && l.whole || j > 0 && l.steps[j-1].node == ""
			if s.node != "" && first {
				w.taken(&r, l, s)
				break
			}
		}
	}
	return r.Conclude(least)
}

// taken judges one placement.
func (w *world) taken(r *history.Report, l *life, s *step) {
	sites := w.sites[s.node]
	last := -1
	for i := range sites {
		if sites[i].revision < s.revision {
			last = i
		}
	}
	if last < 0 || sites[last].unread || sites[last].until+1 < s.revision {
		r.Leave("placements on nodes of which it is not known what they were")
		return
	}
	r.Checked++
	at := &sites[last]
	why := at.closed
	if why == "" && at.uid != s.nodeUID {
		why = "is another node of the same name"
	}
	if why == "" {
		why = repelled(sites[:last+1], s)
	}
	if why == "" {
		return
	}
	r.Break(func() string {
		return fmt.Sprintf("%s was placed at revision %d on node %s, which %s since revision %d", l.key, s.revision, s.node, why, at.revision)
	}, nil, at.exhibit(), l.exhibit(s))
}

// repelled says by which taint a node kept an instance away for as long as its decision
// took; empty for none. sites are the node's versions until then.
func repelled(sites []site, s *step) (why string) {
	if s.read == 0 {
		return ""
	}
	for i := len(sites) - 1; i >= 0; i-- {
		taint, repels := sites[i].repels(s.tolerates)
		if sites[i].unread || sites[i].closed != "" || !repels {
			return ""
		}
		why = "has the taint " + taint.String()
		if sites[i].revision <= s.read {
			return why
		}
	}
	return "" // what it was when the decision was taken is not kept
}

func (s *site) exhibit() history.Exhibit {
	says := s.closed
	for _, taint := range s.taints {
		says = strings.TrimPrefix(says+", has the taint "+taint.String(), ", ")
	}
	if says == "" {
		says = "takes what is placed"
	}
	return history.Exhibit{Record: "versions", Text: fmt.Sprintf("node %s (%s) at revision %d %s", s.name, s.uid, s.revision, says)}
}
