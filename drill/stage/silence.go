package stage

import (
	"context"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
)

// silence has nobody read the pipes that the targets' logs go to, and fills them.
func (s *Stage) silence(_ context.Context, _ *scenario.Fault, targets []*member) (drill.Injection, error) {
	read := func() {
		for _, m := range targets {
			m.pipe.read()
		}
	}
	for _, m := range targets {
		if _, err := m.pipe.silence(); err != nil {
			read()
			return nil, err
		}
	}
	return s.lasts(func() drill.Bite { return drill.Bite{Seen: len(targets), What: "servers whose log goes nowhere"} },
		func(ctx context.Context) error {
			read()
			return s.returns(ctx, targets...)
		}), nil
}
