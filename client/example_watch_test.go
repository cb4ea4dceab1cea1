//nolint:testableexamples // they need a cluster to run and are compiled here
package client_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// List, then watch from the list's revision: together they miss nothing. Where
// the watch cannot go on, begin again with a list.
func ExampleClient_Watch() {
	c := connect()
	defer c.Close()
	ctx := context.Background()
	const kind = candor.KindName("deployments.apps.example")
	for {
		page, err := c.List(ctx, kind, client.ListOptions{})
		if err != nil {
			fmt.Println(err)
			return
		}
		w, err := c.Watch(ctx, client.WatchOptions{Kind: kind, AfterRevision: page.Revision})
		if err != nil {
			fmt.Println(err)
			return
		}
		err = follow(ctx, w)
		if closeErr := w.Close(); closeErr != nil {
			fmt.Println(closeErr)
			return
		}
		if !errors.Is(err, &candor.Error{Reason: candor.ReasonCompacted}) {
			fmt.Println(err)
			return
		}
	}
}

func follow(ctx context.Context, w *client.Watch) error {
	for {
		batch, err := w.Next(ctx)
		if err != nil {
			return err
		}
		for _, event := range batch.Events {
			fmt.Println(event.Type, event.Object.Metadata.Name, "at", event.Revision)
		}
	}
}
