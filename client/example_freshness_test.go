//nolint:testableexamples // they need a cluster to run and are compiled here
package client_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// A dashboard prefers a fresh answer, takes an old one where there is no other,
// and says which of them it shows.
func ExampleAcceptStale() {
	c := connect()
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	page, err := c.List(ctx, "deployments.apps.example", client.ListOptions{},
		client.WithFreshness(candor.FreshnessBounded), client.AcceptStale())
	if err != nil {
		fmt.Println(err)
		return
	}
	if page.Witness.Served == candor.FreshnessBestEffort {
		fmt.Println("no server can prove how old this is:", page.Witness.Mode, page.Witness.DegradedReason)
	}
	fmt.Println(len(page.Objects), "deployments")
}

// How old may an answer be by the time that it is used? No two clocks are
// compared.
func ExampleWithAge() {
	c := connect()
	defer c.Close()
	web := candor.Ref{Kind: "deployments.apps.example", Namespace: "default", Name: "web"}
	var age client.Age
	object, _, err := c.Get(context.Background(), web,
		client.WithFreshness(candor.FreshnessBounded), client.WithMaxStaleness(500*time.Millisecond), client.WithAge(&age))
	if err != nil {
		fmt.Println(err)
		return
	}
	// … something that takes a while …
	if old, known := age.Now(); known && old < time.Second {
		fmt.Println("still good:", object.Metadata.ResourceVersion)
	}
}

// An answer that breaks its own promise is never a result. The error names the
// node at fault.
func ExampleWitnessError() {
	c := connect()
	defer c.Close()
	_, _, err := c.Get(context.Background(), candor.Ref{Kind: candor.KindNamespaces, Name: "default"})
	if breach, ok := errors.AsType[*client.WitnessError](err); ok {
		fmt.Printf("look at node %s: its %s was %q where %q was promised\n", breach.Node, breach.Field, breach.Got, breach.Want)
	}
}

// What would each class of reads get at one node, and why?
func ExampleDiagnostics_Freshness() {
	c := connect()
	defer c.Close()
	trial, err := c.Diagnostics("127.0.0.1:7002").Freshness(context.Background(), client.FreshnessBounds{MaxStaleness: time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range trial.Verdicts {
		switch {
		case v.Breach != nil:
			fmt.Println(v.Freshness, "is served and must not be believed:", v.Breach)
		case v.Served:
			fmt.Println(v.Freshness, "is served after", v.Took)
		default:
			fmt.Println(v.Freshness, "is refused:", v.Reason, v.Message)
		}
	}
}

// A node is taken out of use, and then watched until it is itself again.
func ExampleNode() {
	c := connect()
	defer c.Close()
	ctx := context.Background()
	const at = "127.0.0.1:7002"
	if _, _, err := c.Node(at).SetViewOnly(ctx, true); err != nil {
		fmt.Println(err)
		return
	}
	// … whatever it was taken out of use for …
	if _, _, err := c.Node(at).SetViewOnly(ctx, false); err != nil {
		fmt.Println(err)
		return
	}
	w, err := c.Diagnostics(at).WatchCatchUp(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	for {
		change, err := w.Next(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(change.CatchUp, change.Action, change.Mode, change.TokenAfter)
		if change.Mode == candor.ModeHealthy {
			return
		}
	}
}
