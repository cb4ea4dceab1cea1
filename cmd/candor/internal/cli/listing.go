package cli

import (
	"context"
	"iter"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// listing reads a list page by page, a page in memory at a time.
type listing struct {
	reader  Reader
	kind    candor.KindName
	options client.ListOptions
	reading Reading
	// once ends it after the first page.
	once bool

	// seen counts the objects, witness is the last page's.
	seen    int
	witness candor.Witness
}

// next reads a page and prepares for the one after it.
func (l *listing) next(ctx context.Context) (*client.Page, error) {
	page, err := l.reader.List(ctx, l.kind, l.options, l.reading.options()...)
	if err != nil {
		return nil, err
	}
	l.seen += len(page.Objects)
	l.witness = page.Witness
	l.options.Continue = page.Continue
	return page, nil
}

// all yields the objects of the first page and of those after it. An error is
// the last that it yields.
func (l *listing) all(ctx context.Context, first *client.Page) iter.Seq2[*candor.Object, error] {
	return func(yield func(*candor.Object, error) bool) {
		for page := first; ; {
			for _, object := range page.Objects {
				if !yield(object, nil) {
					return
				}
			}
			if page.Continue == "" || l.once {
				return
			}
			next, err := l.next(ctx)
			if err != nil {
				yield(nil, err)
				return
			}
			page = next
		}
	}
}
