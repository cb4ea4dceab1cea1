package fsm

import (
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
)

// A certificate says which machine speaks, so it speaks for that one alone: with
// access control off, and with every right that a role can give.
func TestAWorkerSpeaksForItsOwnNodeAlone(t *testing.T) {
	for _, open := range []bool{false, true} {
		r := fleet(t, "w1", "w2")
		for _, name := range []string{"here", "there", "nowhere"} {
			r.mustWrite(createInstance(name, `{}`))
		}
		r.place(r.proposal("here", "w1"), r.proposal("there", "w2"))
		if open {
			r.wantReason(r.open(0, "boot", "root"), "")
			r.wantReason(r.as("root", "",
				r.accessObject(candor.KindRoleBindings, "RoleBinding", "all", `{"role":"admin","subjects":["worker/*"]}`),
				r.accessObject(candor.KindTokens, "Token", "fleet", tokenSpec("worker/w1", "2090-01-01T00:00:00Z")),
			), "")
		}
		const running = `{"state":"Running"}`
		for _, c := range []struct {
			op   command.Operation
			want candor.Reason
		}{
			{observe(instanceRef("here"), running), ""},
			{observe(instanceRef("there"), running), candor.ReasonForbidden},
			{observe(instanceRef("nowhere"), running), candor.ReasonForbidden},
			{observe(instanceRef("missing"), running), candor.ReasonNotFound},
			{observe(nodeRef("w1"), `{"session":"s"}`), ""},
			{observe(nodeRef("w2"), `{"session":"s"}`), candor.ReasonForbidden},
			{createNode("w3"), candor.ReasonForbidden},
		} {
			before := r.m.View().Token().Revision
			res := r.as("worker/w1", "", c.op)
			if res.Reason != c.want {
				t.Errorf("access open %t: %s of %s is %q (%s), want %q", open, c.op.Verb, c.op.Ref(), res.Reason, res.Message, c.want)
			}
			if c.want != "" && r.m.View().Token().Revision != before {
				t.Errorf("access open %t: what was refused made a revision", open)
			}
		}
		// A party with a token may speak for many nodes.
		if open {
			r.wantReason(r.as("worker/w1", "fleet", observe(instanceRef("there"), running)), "")
		}
		r.wantReason(r.as("worker/w1", "", command.Operation{Verb: command.VerbUpdateStatus, Kind: candor.KindInstances, Namespace: "default", Name: "here", Payload: r.get(instanceRef("here")).Status}), "")
		wantSame(t, "replayed", r.m, r.replayed())
	}
}

// Where it is placed is judged in the turn: an observation that was sent before the
// instance came to another node, and arrives after, is refused.
func TestAPlacementThatComesFirstCounts(t *testing.T) {
	r := fleet(t, "w1", "w2")
	r.mustWrite(createInstance("web-0", `{}`))
	late := r.writeCommand(observe(instanceRef("web-0"), `{"state":"Running"}`))
	late.Actor, late.Verified = "worker/w1", true
	r.place(r.proposal("web-0", "w2"))
	r.wantReason(r.do(late), candor.ReasonForbidden)
	if o := r.get(instanceRef("web-0")); len(o.Observed) != 0 {
		t.Errorf("observed %s", o.Observed)
	}
}
