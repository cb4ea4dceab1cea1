package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// waitTimeout is how long a command waits that was not told.
const waitTimeout = time.Minute

// awaiting waits for something to be true of one object. It reads, and then
// watches from the revision that it read, so that nothing is missed between.
type awaiting struct {
	remote  *Remote
	ref     candor.Ref
	reading Reading
	until   time.Time
	now     func() time.Time
}

// verdict says whether it is true of the object, nil where there is none, and
// otherwise what was seen instead.
type verdict func(object *candor.Object) (met bool, seen string)

// met is where it became true.
type met struct {
	object  *candor.Object
	witness candor.Witness
}

// await returns when it is true, or an Error of reason WAIT_TIMED_OUT that says
// what was seen last.
func (a awaiting) await(ctx context.Context, is verdict) (met, error) {
	ctx, cancel := context.WithTimeout(ctx, a.until.Sub(a.now()))
	defer cancel()
	seen := "nothing was read"
	for {
		found, last, err := a.round(ctx, is)
		if last != "" {
			seen = last
		}
		switch {
		case err == nil:
			return found, nil
		case candor.ReasonOf(err) == candor.ReasonCompacted:
			// The watch fell behind the floor; a new read starts it again.
			continue
		case ctx.Err() == context.DeadlineExceeded:
			return met{}, a.timedOut(seen, err)
		}
		return met{}, err
	}
}

func (a awaiting) timedOut(seen string, last error) error {
	err := &candor.Error{
		Reason: candor.ReasonWaitTimedOut, Subject: a.ref.String(),
		Message: fmt.Sprintf("the time for %s is over; %s", a.ref, seen),
	}
	if e, ok := errorOf(last); ok && e.Reason != candor.ReasonTimedOut {
		err.Message += "; " + e.Message
	}
	return try(err, "candor describe "+a.ref.String())
}

// round reads once and watches until it is true or the watch ends.
func (a awaiting) round(ctx context.Context, is verdict) (found met, seen string, err error) {
	object, w, err := a.remote.Reader.Get(ctx, a.ref, a.reading.options()...)
	if err != nil && candor.ReasonOf(err) != candor.ReasonNotFound {
		return met{}, "", err
	}
	ok, seen := is(object)
	if ok {
		return met{object, w}, seen, nil
	}
	events, err := a.remote.Watch(ctx, client.WatchOptions{
		Kind: a.ref.Kind, Namespace: a.ref.Namespace, Name: a.ref.Name,
		AfterRevision: w.ServedToken.Revision, Read: a.reading.options(),
	})
	if err != nil {
		return met{}, seen, err
	}
	found, last, err := a.follow(ctx, events, is)
	if last != "" {
		seen = last
	}
	if closed := events.Close(); err == nil && closed != nil {
		err = closed
	}
	return found, seen, err
}

func (a awaiting) follow(ctx context.Context, events Events, is verdict) (found met, seen string, err error) {
	var w candor.Witness
	for {
		batch, err := events.Next(ctx)
		if err != nil {
			return met{}, seen, err
		}
		if batch.Witness != nil {
			w = *batch.Witness
		}
		for _, event := range batch.Events {
			object := event.Object
			if event.Type == candor.EventDeleted {
				object = nil
			}
			var ok bool
			if ok, seen = is(object); ok {
				return met{object, w}, seen, nil
			}
		}
	}
}

// foot is the footer of what a wait found.
func (f *Factory) footMet(m met) {
	if m.witness.NodeID != "" {
		f.Narrate("%s", f.ErrPalette().States(output.Footer(m.witness)))
	}
}
