package explain

import (
	"strings"

	"github.com/candor-plane/candor"
)

// object explains an object of which nothing more is known than that it is one.
func (s *story) object(x *candor.Explanation, o *candor.Object) {
	x.Headline = s.called(x.Subject.Ref) + " is "
	if phase := phaseOf(o); phase != "" {
		x.Headline += phase + ", "
	}
	x.Headline += "at generation " + number(o.Metadata.Generation) + "; version " + number(x.Subject.Revision) + " was written " + s.by(o.Cause)
	s.conditions(x, o)
}

// conditions adds them, those that are not True first.
func (s *story) conditions(x *candor.Explanation, o *candor.Object) {
	all := conditionsOf(o)
	for _, good := range []bool{false, true} {
		for i := range all {
			if (all[i].Status == candor.ConditionTrue) == good {
				x.Facts = append(x.Facts, conditionText(&all[i]))
			}
		}
	}
}

// ending says what holds an object that is to go.
func (s *story) ending(x *candor.Explanation, o *candor.Object) {
	if !o.Terminating() {
		return
	}
	x.Facts = append(x.Facts, "its deletion was asked for; it goes when its finalizers are gone: "+strings.Join(o.Metadata.Finalizers, ", "))
	if x.Next == "" {
		x.Next = "when whoever set " + strings.Join(o.Metadata.Finalizers, ", ") + " takes it away"
	}
}

// gone explains an object that does not exist any more.
func (s *story) gone(x *candor.Explanation, o *candor.Object) {
	x.Headline = s.called(x.Subject.Ref) + " is gone: deleted at revision " + number(x.Subject.Revision) + " " + s.by(o.Cause)
	if phase := phaseOf(o); phase != "" {
		x.Facts = append(x.Facts, "its last phase was "+phase)
	}
}
