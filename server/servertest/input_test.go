package servertest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// What no schema can say is refused with its field, before the log, however it comes.
func TestWhatWouldMeanNothingIsRefusedBeforeTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		ctx, cancel := within(time.Minute)
		defer cancel()
		_, err := k.Create(ctx, workload("web", 1, ""))
		noError(t, err)

		bad := func(name string) *candor.Object { return workload(name, 1, `,"affinity":[{"nodes":"zone in (a"}]`) }
		const path = "spec.template.affinity[0].nodes"
		const message = `"zone in (a": want key, !key, key=value, key!=value, key in (a,b) or key notin (a,b)`
		for how, write := range map[string]func(options ...client.WriteOption) error{
			"create": func(o ...client.WriteOption) error { _, err := k.Create(ctx, bad("api"), o...); return err },
			"update": func(o ...client.WriteOption) error { _, err := k.Update(ctx, bad("web"), o...); return err },
			"merge patch": func(o ...client.WriteOption) error {
				_, err := k.Patch(ctx, candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}, client.PatchMerge, []byte(`{"spec":{"template":{"affinity":[{"nodes":"zone in (a"}]}}}`), o...)
				return err
			},
			"JSON patch": func(o ...client.WriteOption) error {
				_, err := k.Patch(ctx, candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}, client.PatchJSON, []byte(`[{"op":"add","path":"/spec/template/affinity","value":[{"nodes":"zone in (a"}]}]`), o...)
				return err
			},
			"transaction": func(o ...client.WriteOption) error {
				_, err := k.Txn().Then(client.OpCreate(bad("api"))).Commit(ctx, o...)
				return err
			},
		} {
			for _, options := range [][]client.WriteOption{nil, {client.WithDryRun()}} {
				err := write(options...)
				wantReason(t, err, candor.ReasonInvalid)
				e, ok := errors.AsType[*candor.Error](err)
				if !ok || len(e.Fields) != 1 || e.Fields[0].Path != path || e.Fields[0].Message != message {
					t.Errorf("%s (%d options): %v", how, len(options), err)
				}
			}
		}
		if web, _, _ := statusOf[candor.WorkloadStatus](t, k, candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}); web.Metadata.Generation != 1 {
			t.Errorf("what was refused made generation %d", web.Metadata.Generation)
		}
		if _, _, found := statusOf[candor.WorkloadStatus](t, k, candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "api"}); found {
			t.Error("a refused workload is there")
		}
	})
}

// A cycle is told with the way around it.
func TestACycleOfOwnersIsRefusedWithItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		ctx, cancel := within(time.Minute)
		defer cancel()
		uid := map[string]string{}
		owned := func(name, by string) *candor.Object {
			o := namespace(name)
			if by != "" {
				o.Metadata.Owners = []candor.OwnerReference{{Kind: candor.KindNamespaces, Name: by, UID: uid[by]}}
			}
			return o
		}
		for _, link := range [][2]string{{"a", ""}, {"b", "a"}, {"c", "b"}} {
			made, err := k.Create(ctx, owned(link[0], link[1]))
			noError(t, err)
			uid[link[0]] = made.Object.Metadata.UID
		}
		for by, want := range map[string]string{
			"a": `metadata.ownerReferences[0]: owner namespaces.candor "a" is the object itself`,
			"c": `owner namespaces.candor "c" would make a cycle: a is owned by c by b by a`,
		} {
			_, err := k.Update(ctx, owned("a", by))
			wantReason(t, err, candor.ReasonOwnerInvalid)
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s owns a: %v", by, err)
			}
		}
	})
}

// What no node could ever take is accepted, and said: of a dry run as of the write.
func TestAWorkloadThatNoNodeCouldTakeIsWarnedOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		k := c.Client(t)
		ctx, cancel := within(time.Minute)
		defer cancel()
		big := func(name string) *candor.Object {
			o := workload(name, 1, "")
			o.Spec = []byte(`{"template":{"command":["serve"],"resources":{"cpu":"6","memory":"1Gi"}}}`)
			return o
		}
		warns := func(what string, o *candor.Object, want ...string) {
			t.Helper()
			dry, err := k.Create(ctx, o, client.WithDryRun())
			noError(t, err)
			txn, err := k.Txn().Then(client.OpCreate(o)).Commit(ctx, client.WithDryRun())
			noError(t, err)
			var numbered []string
			for _, w := range want {
				numbered = append(numbered, "operation 0: "+w)
			}
			if !slices.Equal(dry.Warnings, want) || !slices.Equal(txn.Warnings, numbered) {
				t.Errorf("%s: dry run %q, transaction %q, want %q", what, dry.Warnings, txn.Warnings, want)
			}
		}
		settled := func() {
			c.Until("every server has the nodes", func() bool {
				for _, s := range c.Servers() {
					if !s.Machine().View().Token().Covers(c.Leader().Machine().View().Token()) {
						return false
					}
				}
				return true
			})
		}
		warns("without nodes", big("web"), "spec.template: no node could take it, for there is none")
		small := func(name string, cores int64) client.NodeRegistration {
			return client.NodeRegistration{Name: name, Observed: candor.NodeObserved{Capacity: capacity(cores, 8), Session: "s." + name}}
		}
		register := func(nodes ...client.NodeRegistration) {
			t.Helper()
			registered, err := k.RegisterNodes(ctx, nodes)
			noError(t, err)
			for _, r := range registered {
				if r.Refused != nil {
					t.Fatal(r.Refused)
				}
			}
			settled()
		}
		register(small("w1", 4), small("w2", 2))
		tooSmall := "spec.template: no node could ever take it: 2 InsufficientCPU"
		warns("with small nodes", big("web"), tooSmall)
		warns("what fits", workload("fits", 1, ""))
		made, err := k.Create(ctx, big("web"))
		noError(t, err)
		if !made.Changed || !slices.Equal(made.Warnings, []string{tooSmall}) {
			t.Errorf("the write itself: %+v", made)
		}
		patched, err := k.Patch(ctx, candor.Ref{Kind: candor.KindWorkloads, Namespace: "default", Name: "web"}, client.PatchMerge, []byte(`{"spec":{"replicas":2}}`))
		noError(t, err)
		if !slices.Equal(patched.Warnings, []string{tooSmall}) {
			t.Errorf("a patch: %q", patched.Warnings)
		}
		register(small("w3", 8))
		warns("with a large node", big("api"))
		if _, err := k.Delete(ctx, candor.Ref{Kind: candor.KindNodes, Name: "w3"}); err != nil {
			t.Fatal(err)
		}
		settled()
		warns("once it is gone", big("api"), tooSmall)
		classless := workload("urgent", 1, `,"priorityClass":"urgent"`)
		warns("without its class", classless, fmt.Sprintf("spec.template.priorityClass: there is no PriorityClass %q: no instance is made before there is", "urgent"))
	})
}
