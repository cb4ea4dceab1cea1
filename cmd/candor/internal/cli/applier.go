package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/merge"
)

// applier brings planned objects to what their manifests say.
type applier struct {
	*Factory
	remote     *Remote
	dryRun     dryRun
	ifRevision *uint64
	// coming are objects that a dry run would have created: what needs them
	// cannot be checked by the server.
	coming map[candor.Ref]bool
}

// change is what became of an object.
type change struct {
	verb   string
	object *candor.Object
	// written says that the root has it, and result where.
	written bool
	result  client.Result
	// unchecked is why a server dry run did not ask the server.
	unchecked string
}

const (
	// mostRounds is how often an object is read again because somebody else
	// changed it in between.
	mostRounds = 8
	roundPause = 20 * time.Millisecond
	// kindPatience is how long a node may take to know a kind that was created
	// a moment ago.
	kindPatience = 5 * time.Second
	kindPause    = 50 * time.Millisecond
)

// apply reads the object, merges, and writes, again from the start when
// somebody else was first. A manifest that names a resourceVersion or a uid,
// and --if-revision, are held to instead.
func (a *applier) apply(ctx context.Context, item planned) (change, error) {
	until := a.Now().Add(kindPatience)
	for round := 1; ; {
		done, err := a.once(ctx, item)
		reason := candor.ReasonOf(err)
		switch {
		case err == nil:
			return done, nil
		case reason == candor.ReasonUnknownKind && len(item.needs) > 0 && a.Now().Before(until):
			if err := a.Sleep(ctx, kindPause); err != nil {
				return change{}, candor.Wrap("apply", contextError(err))
			}
			continue
		case (reason == candor.ReasonConflict || reason == candor.ReasonAlreadyExists) && !a.held(item) && round < mostRounds:
			if err := a.Sleep(ctx, time.Duration(round)*roundPause); err != nil {
				return change{}, candor.Wrap("apply", contextError(err))
			}
			round++
			continue
		}
		return change{}, placed(item.document, err)
	}
}

// held says whether the manifest or the command line names the version that is
// to be changed.
func (a *applier) held(item planned) bool {
	m := item.document.Object.Metadata
	return a.ifRevision != nil || m.ResourceVersion != 0 || m.UID != ""
}

func (a *applier) once(ctx context.Context, item planned) (change, error) {
	for _, need := range item.needs {
		if a.coming[need] {
			a.coming[item.ref] = true
			done := change{verb: "created", object: merge.Create(item.document.Object, item.document.Fields)}
			if a.dryRun == dryRunServer {
				done.unchecked = need.String() + " is not there yet"
			}
			return done, nil
		}
	}
	live, w, err := a.remote.Reader.Get(ctx, item.ref, client.WithFreshness(candor.FreshnessStrong))
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return a.create(ctx, item, w)
	}
	if err != nil {
		return change{}, err
	}
	if err := a.check(item, live); err != nil {
		return change{}, err
	}
	merged, changed, err := merge.Update(live, item.document.Fields)
	if err != nil {
		return change{}, err
	}
	if !changed {
		return change{verb: "unchanged", object: live}, nil
	}
	if a.dryRun == dryRunClient {
		return change{verb: "configured", object: merged}, nil
	}
	asked := *merged
	asked.Status, asked.Observed = nil, nil
	result, err := a.remote.Writer.Update(ctx, &asked, a.options(item, w)...)
	return a.written(item.ref, "configured", merged, result, err)
}

func (a *applier) create(ctx context.Context, item planned, w candor.Witness) (change, error) {
	if wanted := a.wantedRevision(item); wanted > 0 {
		return change{}, conflict(item.ref, fmt.Sprintf("does not exist; revision %d was asked for", wanted))
	}
	created := merge.Create(item.document.Object, item.document.Fields)
	created.Metadata.ResourceVersion, created.Metadata.UID = 0, ""
	if a.dryRun != dryRunNone {
		a.coming[item.ref] = true
	}
	if a.dryRun == dryRunClient {
		return change{verb: "created", object: created}, nil
	}
	result, err := a.remote.Writer.Create(ctx, created, a.options(item, w)...)
	return a.written(item.ref, "created", created, result, err)
}

// written takes what the root has where it tells.
func (a *applier) written(ref candor.Ref, verb string, asked *candor.Object, result client.Result, err error) (change, error) {
	if err != nil {
		return change{}, err
	}
	a.Warn(ref, result)
	done := change{verb: verb, object: asked, result: result, written: a.dryRun == dryRunNone}
	if result.Object != nil {
		done.object = result.Object
	}
	if verb == "configured" && !result.Changed {
		done.verb = "unchanged"
	}
	return done, nil
}

func (a *applier) options(item planned, w candor.Witness) []client.WriteOption {
	options := []client.WriteOption{
		client.WithReason("APPLY", "applied from "+item.document.Source),
		client.WithReadToken(w.ServedToken),
	}
	if a.dryRun == dryRunServer {
		options = append(options, client.WithDryRun())
	}
	return options
}

// check compares live with the version that was asked for.
func (a *applier) check(item planned, live *candor.Object) error {
	have := live.Metadata.ResourceVersion
	if a.ifRevision != nil && *a.ifRevision == 0 {
		return conflict(item.ref, fmt.Sprintf("exists at revision %d; --if-revision 0 wants none", have))
	}
	if wanted := a.wantedRevision(item); wanted > 0 && wanted != have {
		return conflict(item.ref, fmt.Sprintf("is at revision %d; revision %d was asked for", have, wanted))
	}
	if uid := item.document.Object.Metadata.UID; uid != "" && uid != live.Metadata.UID {
		return conflict(item.ref, fmt.Sprintf("has uid %s; the manifest says %s: it is another object of the same name", live.Metadata.UID, uid))
	}
	return nil
}

func (a *applier) wantedRevision(item planned) uint64 {
	if a.ifRevision != nil {
		return *a.ifRevision
	}
	return item.document.Object.Metadata.ResourceVersion
}

func conflict(ref candor.Ref, message string) error {
	return &candor.Error{Reason: candor.ReasonConflict, Subject: ref.String(), Message: ref.String() + " " + message}
}

// contextError gives the end of a context its reason.
func contextError(err error) error {
	reason := candor.ReasonCanceled
	if errors.Is(err, context.DeadlineExceeded) {
		reason = candor.ReasonTimedOut
	}
	return &candor.Error{Reason: reason, Message: err.Error(), Err: err}
}

// errorOf is the candor.Error in err's chain.
func errorOf(err error) (*candor.Error, bool) {
	return errors.AsType[*candor.Error](err)
}

// said is an error's message without its reason.
func said(err error) string {
	if e, ok := errorOf(err); ok {
		return e.Message
	}
	return err.Error()
}
