package workload

import (
	"context"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/verify/history"
)

// finish records what is left of a workload's entries: a last STRONG list, as a read
// and as what must be there, and what the cluster keeps of each entry that was ever
// written. Names are those that may not be there any more.
func (e *Env) finish(ctx context.Context, workload string, value history.Value, names []string) error {
	h, err := e.hand("finishing-"+workload, value)
	if err != nil {
		return err
	}
	err = h.finish(ctx, NamespaceOf(workload), names)
	if failed := h.client.Close(); err == nil {
		err = failed
	}
	return candor.Wrap("finish "+workload, err)
}

func (h *hand) finish(ctx context.Context, namespace string, names []string) error {
	var page *client.Page
	err := persist(ctx, func(ctx context.Context) (err error) {
		page, err = h.list(ctx, namespace, history.Ask{})
		return err
	})
	if err != nil {
		return err
	}
	if page.Continue == "" {
		h.env.Recorder.Final(Kind, namespace, page.Revision, page.Witness.NodeID, page.Objects, h.value)
	}
	kept := map[string]bool{}
	for _, name := range names {
		kept[name] = true
	}
	for _, o := range page.Objects {
		kept[o.Metadata.Name] = true
	}
	for name := range kept {
		if err := h.env.versions(ctx, h.client, entryRef(namespace, name), h.value); err != nil {
			return err
		}
	}
	return nil
}

// versions records what the cluster keeps of an object, or that nothing is there.
func (e *Env) versions(ctx context.Context, k *client.Client, ref candor.Ref, value history.Value) error {
	return persist(ctx, func(ctx context.Context) error {
		kept, err := k.History(ctx, ref)
		if refused, gone := notFound(err); gone {
			e.Recorder.Gone(ref, refused.ServedToken.Revision)
			return nil
		}
		if err != nil {
			return err
		}
		e.Recorder.Versions(ref, kept, value)
		return nil
	})
}

// named are the names of the first n entries.
func named(n int) (names []string) {
	for key := range n {
		names = append(names, keyName(key))
	}
	return names
}
