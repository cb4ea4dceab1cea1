package sim

import (
	"fmt"
	"strconv"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/tenure"
)

// A guard is an object that only the holder of a duty writes. It says in which era.
const kindGuards = candor.KindName("guards.sim")

var guardRef = candor.Ref{Kind: kindGuards, Namespace: namespace, Name: "guard"}

// guarded has a server that takes itself for the holder write the guard.
func (w *world) guarded(d *dice) {
	h := w.actor(tenure.DutyControllers, d)
	if h == nil {
		return
	}
	s := h.s
	op := command.Operation{Verb: command.VerbUpdate, Kind: kindGuards, KindRevision: w.kinds[kindGuards], Object: &candor.Object{
		APIVersion: "sim/v1", Kind: "Guard", Spec: []byte(fmt.Sprintf(`{"era":%d,"choice":%d}`, h.era, w.choice)),
		Metadata: candor.Metadata{Name: guardRef.Name, Namespace: namespace},
	}}
	if v, err := s.m.View().Get(guardRef, 0); err == nil && v == nil {
		op.Verb, op.Object.Metadata.UID = command.VerbCreate, fmt.Sprintf("uid-guard-%d", w.choice)
	}
	c := &command.Command{Type: command.TypeWrite, Actor: candor.ActorSystem, Duty: h.duty, Era: h.era, Holder: s.holder, Then: []command.Operation{op}}
	if w.mistake == writesUnfenced {
		c.Duty, c.Era, c.Holder = "", 0, ""
	}
	w.propose(s, c, d, func(outcome) {})
}

// guard is what is known of the guard.
type guard struct{ era uint64 }

// written checks that the era of a guard's version was the active one.
func (g *guard) written(r *root, o *candor.Object) {
	r.w.checked("writes under a fence", 1)
	era, err := strconv.ParseUint(eraOf(o.Spec), 10, 64)
	active := r.active(tenure.DutyControllers)
	switch {
	case err != nil:
		r.w.fail("simulator", "the guard says %s: %v", o.Spec, err)
	case era < g.era:
		r.w.fail("SealedIsSilent", "the guard was written in era %d after era %d", era, g.era)
	case era != active:
		r.w.fail("SealedIsSilent", "the guard was written in era %d while the active one is %d", era, active)
	}
	g.era = era
}

func eraOf(spec []byte) string {
	const prefix = `{"era":`
	end := len(prefix)
	for end < len(spec) && spec[end] >= '0' && spec[end] <= '9' {
		end++
	}
	if len(spec) < len(prefix) {
		return ""
	}
	return string(spec[len(prefix):end])
}
