package client

import (
	"context"
	"iter"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// ListOptions choose objects of a kind; the zero value lists all of them.
type ListOptions struct {
	// Namespace; empty lists every namespace.
	Namespace string
	// Selector on labels, in the Kubernetes form (see candor.ParseSelector).
	Selector string
	// Limit of one page; 0 for the server's page size.
	Limit uint32
	// Continue is where the page before ended.
	Continue string
}

// Page is part of a list. All pages of one list are of one revision.
type Page struct {
	Objects []*candor.Object
	// Continue is set when there is more.
	Continue string
	Revision uint64
	Witness  candor.Witness
}

// List reads one page.
func (c *Client) List(ctx context.Context, kind candor.KindName, o ListOptions, options ...ReadOption) (*Page, error) {
	page, err := c.list(ctx, kind, o, options)
	return page, candor.Wrap("list "+string(kind), err)
}

func (c *Client) list(ctx context.Context, kind candor.KindName, o ListOptions, options []ReadOption) (*Page, error) {
	var r read
	sent, err := c.prepare(&r, options)
	if err != nil {
		return nil, err
	}
	in := &candorv1.ListRequest{
		Kind: string(kind), Namespace: o.Namespace, LabelSelector: o.Selector, Limit: o.Limit, Continue: o.Continue, Read: sent,
	}
	out := new(candorv1.ListResponse)
	w, err := c.carry(ctx, &r, candorv1.ObjectService_List_FullMethodName, in, out)
	if err != nil {
		return nil, err
	}
	page := &Page{
		Objects:  make([]*candor.Object, 0, len(out.GetObjects())),
		Continue: out.GetContinue(), Revision: out.GetRevision(), Witness: *w,
	}
	for _, p := range out.GetObjects() {
		o := convert.ObjectFromProto(p)
		if o == nil {
			return nil, breach(r.endpoint.addr, "endpoint %s answered with an object that does not decode", r.endpoint.addr)
		}
		page.Objects = append(page.Objects, o)
	}
	return page, nil
}

// All yields every object of a kind at one revision, a page in memory at a
// time. The first error ends it and is the last that it yields: COMPACTED when
// the revision stopped being kept before the end. Each page is a call of its
// own: without a deadline in ctx, each has the client's timeout.
func (c *Client) All(ctx context.Context, kind candor.KindName, o ListOptions, options ...ReadOption) iter.Seq2[*candor.Object, error] {
	return func(yield func(*candor.Object, error) bool) {
		var revision uint64
		for {
			page, err := c.List(ctx, kind, o, options...)
			if err == nil && revision != 0 && page.Revision != revision {
				err = candor.Wrap("list "+string(kind), breach(page.Witness.NodeID,
					"the list began at revision %d and went on at %d", revision, page.Revision))
			}
			if err != nil {
				yield(nil, err)
				return
			}
			for _, object := range page.Objects {
				if !yield(object, nil) {
					return
				}
			}
			if page.Continue == "" {
				return
			}
			o.Continue, revision = page.Continue, page.Revision
		}
	}
}
