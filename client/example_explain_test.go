//nolint:testableexamples // they need a cluster to run and are compiled here
package client_test

import (
	"context"
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// Why is an instance where it is, or nowhere?
func ExampleClient_Why() {
	c := connect()
	defer c.Close()
	web := candor.Ref{Kind: candor.KindInstances, Namespace: "default", Name: "web-3"}
	found, err := c.Why(context.Background(), candor.VersionRef{Ref: web})
	if err != nil {
		fmt.Println(err)
		return
	}
	x := found.Explanation
	fmt.Println(x.Headline)
	for _, change := range x.Changes {
		fmt.Println("it would fit", change.Node, "if", change.Change)
	}
	for _, link := range x.Because {
		fmt.Println("because of", link.Text)
	}
}

// What speaks against one node?
func ExampleClient_WhyNot() {
	c := connect()
	defer c.Close()
	web := candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}
	found, err := c.WhyNot(context.Background(), web, "w1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, verdict := range found.Explanation.Nodes {
		for _, misfit := range verdict.Reasons {
			fmt.Println(misfit.Reason, "needs", misfit.Need, "has", misfit.Have)
		}
	}
}

// A decision is a pure function of a state that is still there: anyone can check it.
func ExampleClient_ReplayDecision() {
	c := connect()
	defer c.Close()
	again, err := c.ReplayDecision(context.Background(), client.WhichDecision{ID: "d-8123-0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if !again.Replay.Same {
		fmt.Println(again.Replay.Reason, again.Replay.Message, again.Decision.Digest, again.Digest)
	}
}

// What would this change, and where would it go?
func ExampleClient_Plan() {
	c := connect()
	defer c.Close()
	planned, err := c.Plan(context.Background(), []*candor.Object{{
		APIVersion: candor.APIVersion, Kind: "Workload", Metadata: candor.Metadata{Namespace: "default", Name: "web"},
		Spec: []byte(`{"replicas":3,"template":{"command":["/bin/serve"],"resources":{"cpu":"500m"}}}`),
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range planned.Plan.Placements {
		fmt.Println(p.Instance, "would go to", p.Node)
	}
	fmt.Println("at revision", planned.Plan.Token.Revision)
}

// Which controllers are there, and what did they last do about an object?
func ExampleClient_Reconciles() {
	c := connect()
	defer c.Close()
	ctx := context.Background()
	graph, err := c.Graph(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, k := range graph.Controllers {
		fmt.Println(k.Name, "reads", k.Inputs, "and writes", k.Outputs)
	}
	done, err := c.Reconciles(ctx, candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range done.Reconciliations {
		fmt.Println(r.Controller, r.Result, r.Message, r.Next)
	}
}
