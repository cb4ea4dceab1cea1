package grpcapi

import (
	"strconv"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// Advisor says what the author of an object should know of it though it is accepted.
type Advisor interface {
	Advice(kind candor.KindName, o *candor.Object) []string
}

// built are the operations that a builder made last.
type built struct{ then, otherwise []command.Operation }

// by is the builder, whose operations are kept.
func (b *built) by(build builder) builder {
	return func() (then, otherwise []command.Operation, err error) {
		b.then, b.otherwise, err = build()
		return b.then, b.otherwise, err
	}
}

// warnings are about the operations that were done, or would be; of several each says
// which it is of.
func (s *Objects) warnings(b *built, result *fsm.Result, several bool) (all []string) {
	done := b.then
	if !result.Succeeded {
		done = b.otherwise
	}
	for i := range done {
		op := &done[i]
		if op.Verb != command.VerbCreate && op.Verb != command.VerbUpdate {
			continue
		}
		for _, text := range s.advisor.Advice(op.Kind, op.Object) {
			if several {
				text = "operation " + strconv.Itoa(i) + ": " + text
			}
			all = append(all, text)
		}
	}
	return all
}
