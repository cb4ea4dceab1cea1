package stage

import (
	"context"
	"sync"

	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/report"
)

// injection is a fault that lasts, by what it counts and what ends it.
type injection struct {
	bite func() drill.Bite
	// befell is nil for what befalls no instances.
	befell []report.Befallen

	mu     sync.Mutex
	heal   func(ctx context.Context) error
	healed bool
}

// lasting is a fault that heal ends; heal is called until it succeeds, by one at a time.
func lasting(bite func() drill.Bite, heal func(context.Context) error) *injection {
	return &injection{bite: bite, heal: heal}
}

// over is a fault of a moment.
func over(seen int, what string) *injection {
	return &injection{bite: func() drill.Bite { return drill.Bite{Seen: seen, What: what} }, healed: true}
}

// Bite tells what was seen of it so far.
func (i *injection) Bite() drill.Bite { return i.bite() }

// Befell implements [drill.Befalling].
func (i *injection) Befell() []report.Befallen { return i.befell }

// Heal ends it.
func (i *injection) Heal(ctx context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.healed {
		return nil
	}
	if err := i.heal(ctx); err != nil {
		return err
	}
	i.healed = true
	return nil
}
