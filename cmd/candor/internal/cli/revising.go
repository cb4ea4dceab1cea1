package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// revising changes the spec of one object, again from the start when somebody else was
// first.
type revising struct {
	*Factory
	remote *Remote
	ref    candor.Ref
	// change edits the members of the spec and says whether anything differs then.
	change func(object *candor.Object, spec map[string]json.RawMessage) (bool, error)
	// options of the write.
	options []client.WriteOption
}

// revised is what came of it. Without a change result is zero.
type revised struct {
	object  *candor.Object
	changed bool
	result  client.Result
}

func (r *revising) run(ctx context.Context) (revised, error) {
	for round := 1; ; round++ {
		done, err := r.once(ctx)
		if candor.ReasonOf(err) != candor.ReasonConflict || round == mostRounds {
			return done, err
		}
		if err := r.Sleep(ctx, time.Duration(round)*roundPause); err != nil {
			return revised{}, candor.Wrap("", contextError(err))
		}
	}
}

func (r *revising) once(ctx context.Context) (revised, error) {
	live, w, err := r.remote.Reader.Get(ctx, r.ref, client.WithFreshness(candor.FreshnessStrong))
	if err != nil {
		return revised{}, err
	}
	spec := map[string]json.RawMessage{}
	if len(live.Spec) > 0 {
		if err := json.Unmarshal(live.Spec, &spec); err != nil {
			return revised{}, candor.Errorf(candor.ReasonInvalid, "%s: its spec is no JSON object: %w", r.ref, err)
		}
	}
	changed, err := r.change(live, spec)
	if err != nil || !changed {
		return revised{object: live}, err
	}
	asked := withoutStatus(live)
	if asked.Spec, err = json.Marshal(spec); err != nil {
		return revised{}, candor.Wrap(r.ref.String(), err)
	}
	result, err := r.remote.Writer.Update(ctx, asked, append([]client.WriteOption{client.WithReadToken(w.ServedToken)}, r.options...)...)
	if err != nil {
		return revised{}, err
	}
	r.Warn(r.ref, result)
	done := revised{object: asked, changed: true, result: result}
	if result.Object != nil {
		done.object = result.Object
	}
	return done, nil
}

// flagged sets a boolean member of a spec; false is left out.
func flagged(spec map[string]json.RawMessage, name string, to bool) (bool, error) {
	was := false
	if raw, ok := spec[name]; ok {
		if err := json.Unmarshal(raw, &was); err != nil {
			return false, candor.Errorf(candor.ReasonInvalid, "spec.%s is %s, which is neither true nor false", name, raw)
		}
	}
	if was == to {
		return false, nil
	}
	delete(spec, name)
	if to {
		spec[name] = json.RawMessage("true")
	}
	return true, nil
}
