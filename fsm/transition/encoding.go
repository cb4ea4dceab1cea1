package transition

import (
	"bytes"

	"github.com/candor-plane/candor"
)

// Spec is the plan as the JSON of its object: the same bytes for the same plan.
func (p *Plan) Spec() []byte {
	w := writer{}
	w.text("kind", string(p.Kind))
	w.text("target", p.Target)
	w.number("plannedRevision", p.Revision)
	w.text("source", p.Source.String())
	w.raw("intent", p.Intent)
	w.text("intentDigest", p.Digest().String())
	w.text("duty", p.Duty)
	w.number("era", p.Era)
	w.number("plannedAt", uint64(p.PlannedAt))
	w.number("deadline", uint64(p.Deadline))
	w.number("phaseLimit", uint64(p.PhaseLimit))
	w.number("configuration", p.Configuration)
	w.text("retryClass", string(p.Retry))
	w.text("parent", p.Parent)
	w.text("actor", p.Actor)
	w.text("reason", p.Reason)
	w.text("message", p.Message)
	return w.object()
}

// ReadSpec reads what Spec wrote. The plan shares the intent's bytes with the spec.
// Otherwise the error's reason is DATA_CORRUPT.
func ReadSpec(spec []byte) (Plan, *candor.Error) {
	r := reader{object: spec}
	p := Plan{
		Kind: Kind(r.text("kind")), Target: r.text("target"), Revision: r.number("plannedRevision"),
		Intent: bytes.TrimSpace(r.member("intent")),
		Duty:   r.text("duty"), Era: r.number("era"),
		PlannedAt: r.moment("plannedAt"), Deadline: r.moment("deadline"), PhaseLimit: r.moment("phaseLimit"),
		Configuration: r.number("configuration"), Retry: candor.RetryClass(r.text("retryClass")), Parent: r.text("parent"),
		Actor: r.text("actor"), Reason: r.text("reason"), Message: r.text("message"),
	}
	source, err := candor.ParseToken(r.text("source"))
	if err != nil {
		r.fail("source")
	}
	p.Source = source
	if wrote, ok := parseDigest(r.text("intentDigest")); !ok || wrote != p.Digest() {
		r.fail("intentDigest")
	}
	if r.wrong != "" {
		return Plan{}, candor.Errorf(candor.ReasonDataCorrupt, "transition plan: member %q cannot be read", r.wrong)
	}
	if err := p.Check(); err != nil {
		return Plan{}, candor.Errorf(candor.ReasonDataCorrupt, "transition plan: %w", err)
	}
	return p, nil
}

// JSON is the status as that of its object: the same bytes for the same status.
func (s *Status) JSON() []byte {
	w := writer{}
	w.text("phase", string(s.Phase))
	w.number("revision", s.Revision)
	times := writer{}
	for _, t := range s.Times.named() {
		times.number(t.name, uint64(*t.at))
	}
	w.raw("times", times.object())
	w.text("executor", s.Executor)
	w.text("outcome", string(s.Outcome))
	w.text("publishState", string(s.Publish))
	w.text("reason", string(s.Reason))
	w.text("message", s.Message)
	w.text("supersededBy", s.SupersededBy)
	return w.object()
}

// ReadStatus reads what Status.JSON wrote. Otherwise the error's reason is
// DATA_CORRUPT.
func ReadStatus(status []byte) (Status, *candor.Error) {
	r := reader{object: status}
	s := Status{
		Phase: Phase(r.text("phase")), Revision: r.number("revision"), Executor: r.text("executor"),
		Outcome: Outcome(r.text("outcome")), Publish: PublishState(r.text("publishState")),
		Reason: candor.Reason(r.text("reason")), Message: r.text("message"), SupersededBy: r.text("supersededBy"),
	}
	times := reader{object: r.member("times")}
	for _, t := range s.Times.named() {
		*t.at = times.moment(t.name)
	}
	switch {
	case r.wrong != "":
	case times.wrong != "":
		r.fail("times." + times.wrong)
	case !s.Phase.Known():
		r.fail("phase")
	case !s.Outcome.Known():
		r.fail("outcome")
	case !s.Publish.Known():
		r.fail("publishState")
	}
	if r.wrong != "" {
		return Status{}, candor.Errorf(candor.ReasonDataCorrupt, "transition status: member %q cannot be read", r.wrong)
	}
	return s, nil
}

type namedTime struct {
	name string
	at   *int64
}

func (t *Times) named() []namedTime {
	return []namedTime{
		{"planned", &t.Planned}, {"admitted", &t.Admitted}, {"executing", &t.Executing}, {"applied", &t.Applied}, {"ended", &t.Ended},
	}
}
