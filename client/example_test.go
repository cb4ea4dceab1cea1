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

func Example() {
	c, err := client.New(client.Config{Endpoints: []string{"127.0.0.1:7001", "127.0.0.1:7002", "127.0.0.1:7003"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	web := candor.Ref{Kind: "deployments.apps.example", Namespace: "default", Name: "web"}
	object, witness, err := c.Get(ctx, web)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s as of %s, served by %s\n", object.Spec, witness.ServedToken, witness.NodeName)
}

// An acknowledged write was made exactly once. One that failed was surely not
// made, but for one reason.
func ExampleClient_Create() {
	c := connect()
	defer c.Close()
	object := &candor.Object{
		APIVersion: "apps.example/v1", Kind: "Deployment",
		Metadata: candor.Metadata{Namespace: "default", Name: "web"},
		Spec:     []byte(`{"replicas":3}`),
	}
	result, err := c.Create(context.Background(), object, client.WithReason("LAUNCH", "the first version"))
	var failure *candor.Error
	switch {
	case err == nil:
		fmt.Println("made at", result.Token)
	case errors.As(err, &failure) && failure.Reason == candor.ReasonOutcomeUnknown:
		fmt.Println("ask for the outcome of", failure.Subject)
	default:
		fmt.Println("surely not made:", err)
	}
}

// A read, a change and a write that is refused if anyone else changed the object
// in between: then once more.
func ExampleClient_Update() {
	c := connect()
	defer c.Close()
	ctx := context.Background()
	web := candor.Ref{Kind: "deployments.apps.example", Namespace: "default", Name: "web"}
	for {
		object, witness, err := c.Get(ctx, web)
		if err != nil {
			fmt.Println(err)
			return
		}
		object.Spec = []byte(`{"replicas":5}`)
		_, err = c.Update(ctx, object, client.WithReadToken(witness.ServedToken))
		if errors.Is(err, &candor.Error{Reason: candor.ReasonConflict}) {
			continue
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		return
	}
}

// Freshness is asked for, and served as asked or refused.
func ExampleWithFreshness() {
	c := connect()
	defer c.Close()
	web := candor.Ref{Kind: "deployments.apps.example", Namespace: "default", Name: "web"}
	_, witness, err := c.Get(context.Background(), web,
		client.WithFreshness(candor.FreshnessBounded), client.WithMaxStaleness(200*time.Millisecond))
	if err != nil {
		fmt.Println(err)
		return
	}
	if witness.StalenessBound != nil {
		fmt.Println("everything acknowledged longer ago is in the answer:", *witness.StalenessBound)
	}
}

func ExampleClient_All() {
	c := connect()
	defer c.Close()
	for object, err := range c.All(context.Background(), "deployments.apps.example", client.ListOptions{Selector: "tier=front"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(object.Metadata.Name)
	}
}

// Both objects change or neither does.
func ExampleClient_Txn() {
	c := connect()
	defer c.Close()
	from := candor.Ref{Kind: "leases.example", Namespace: "default", Name: "a"}
	lease := &candor.Object{
		APIVersion: "example/v1", Kind: "Lease", Metadata: candor.Metadata{Namespace: "default", Name: "b"},
	}
	result, err := c.Txn().
		If(client.IfVersion(from, 977)).
		Then(client.OpDelete(from), client.OpCreate(lease)).
		Else(client.OpGet(from)).
		Commit(context.Background(), client.WithReason("MOVE", "a is drained"))
	if err != nil {
		fmt.Println(err)
		return
	}
	if !result.Succeeded {
		fmt.Println("a is at", result.Results[0].Object.Metadata.ResourceVersion)
	}
}

func ExampleClient_Outcome() {
	c := connect()
	defer c.Close()
	_, err := c.Delete(context.Background(), candor.Ref{Kind: candor.KindNamespaces, Name: "old"})
	var failure *candor.Error
	if !errors.As(err, &failure) || failure.Reason != candor.ReasonOutcomeUnknown {
		return
	}
	outcome, err := c.Outcome(context.Background(), failure.Subject)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(outcome.Outcome == candor.OutcomeApplied, outcome.Token)
}

// connect stands for the program's own way to its client.
func connect() *client.Client {
	c, err := client.New(client.Config{Endpoints: []string{"127.0.0.1:7001"}})
	if err != nil {
		panic(err)
	}
	return c
}
