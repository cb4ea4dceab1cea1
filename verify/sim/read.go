package sim

import (
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/verify/history"
)

// read begins a read: STRONG of the leader, or of any view that covers the session.
func (c *client) read(d *dice) {
	strong, list := d.chance(50), d.chance(30)
	ref := registerRef(d.upto(c.w.Keys))
	o := history.Operation{Kind: history.KindGet, Items: []history.Item{{Key: history.Key(ref)}}}
	if list {
		o.Kind, o.Items = history.KindList, nil
	}
	if !strong {
		o.Asked = &history.Asked{Freshness: candor.FreshnessBestEffort}
	}
	x := &call{c: c, d: d}
	x.at = c.record(o)
	c.w.after(d.span(500*microsecond), func() {
		if strong {
			x.strong(ref)
			return
		}
		s := c.server()
		if s == nil || !s.m.View().Token().Covers(c.session) {
			x.end(history.OutcomeFailed, candor.ReasonRootTokenNotReached)
			return
		}
		x.serve(s.m.View(), ref)
	})
}

// strong reads on the leader, whose leadership a majority confirms, once it has applied
// what was committed then.
func (x *call) strong(ref candor.Ref) {
	w := x.c.w
	leader := w.log.leader
	if w.mistake == readsUnconfirmed {
		if s := x.c.server(); s != nil {
			x.serve(s.m.View(), ref)
			return
		}
	}
	if leader == nil || !leader.up || !leader.ready || !w.majority() || leader.pausedUntil > w.now {
		x.end(history.OutcomeFailed, candor.ReasonLeadershipUnconfirmed)
		return
	}
	boot := leader.boot
	leader.wait(uint64(w.log.commit), func() {
		w.after(x.d.span(500*microsecond), func() {
			if !leader.up || leader.boot != boot {
				x.end(history.OutcomeFailed, candor.ReasonCanceled)
				return
			}
			x.serve(leader.m.View(), ref)
		})
	}, func() { x.end(history.OutcomeFailed, candor.ReasonCanceled) })
}

// serve answers from a view.
func (x *call) serve(v *fsm.View, ref candor.Ref) {
	w := x.c.w
	o := &w.operations[x.at]
	if o.Kind == history.KindGet {
		found, err := v.Get(ref, 0)
		if err != nil {
			x.end(history.OutcomeFailed, candor.ReasonOf(err))
			return
		}
		o.Items = []history.Item{itemOf(history.Key(ref), found)}
	} else {
		prefix := string(ref.Kind) + "/"
		o.Scope = prefix + ref.Namespace + "/"
		_ = v.List(ref.Kind, ref.Namespace, "", 0, func(found *mvcc.Version) bool {
			o.Items = append(o.Items, itemOf(prefix+found.Key, found))
			return true
		}) // the view's own revision is always readable
	}
	x.close(history.OutcomeOK).Token = v.Token()
	x.c.saw(v.Token())
}

func itemOf(key string, v *mvcc.Version) history.Item {
	if v == nil {
		return history.Item{Key: key, Absent: true}
	}
	o, err := v.Object()
	if err != nil {
		return history.Item{Key: key, Value: err.Error(), Version: v.Revision}
	}
	return history.Item{Key: key, Value: strings.Trim(string(o.Spec), `"`), Version: v.Revision}
}
