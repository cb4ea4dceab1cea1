package fsm

import (
	"strings"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/policy"
)

// accessObject is a Role, RoleBinding or Token.
func (r *root) accessObject(kind candor.KindName, word, name, spec string) command.Operation {
	return command.Operation{Verb: command.VerbCreate, Kind: kind, KindRevision: r.kindRevision(kind), Object: object(word, "", name, spec)}
}

func (r *root) open(epoch uint64, token string, actor string) Result {
	return r.do(&command.Command{Type: command.TypeOpenAccess, Actor: actor, Epoch: epoch, Then: []command.Operation{
		r.accessObject(candor.KindRoleBindings, "RoleBinding", "first-"+token, `{"role":"admin","subjects":["`+actor+`"]}`),
		r.accessObject(candor.KindTokens, "Token", token, tokenSpec(actor, "2090-01-01T00:00:00Z")),
	}})
}

func tokenSpec(actor, expires string) string {
	return `{"actor":"` + actor + `","hash":"` + strings.Repeat("ab", 32) + `","expires":"` + expires + `"}`
}

// as is a write of an authenticated actor.
func (r *root) as(actor, accessor string, ops ...command.Operation) Result {
	c := r.writeCommand(ops...)
	c.Actor, c.Verified, c.Accessor = actor, true, accessor
	return r.do(c)
}

func (r *root) wantReason(res Result, reason candor.Reason) {
	r.t.Helper()
	if res.Reason != reason {
		r.t.Fatalf("%s (%s), want %q", res.Reason, res.Message, reason)
	}
}

// TestOnceOpenedOnlyWhatARoleAllowsIsDone: until then everybody may everything.
func TestOnceOpenedOnlyWhatARoleAllowsIsDone(t *testing.T) {
	r := newRoot(t)
	r.mustWrite(create("default", "before", `{}`))
	r.wantReason(r.open(0, "boot", "root"), "")
	if r.m.View().AccessEpoch() != 1 {
		t.Fatalf("opened %d times", r.m.View().AccessEpoch())
	}
	before := r.m.View().Digest()
	unverified := r.writeCommand(create("default", "a", `{}`))
	unverified.Actor = "root"
	r.wantReason(r.do(unverified), candor.ReasonUnauthenticated)
	r.wantReason(r.as("bob", "", create("default", "a", `{}`)), candor.ReasonForbidden)
	r.wantReason(r.as("root", "gone", create("default", "a", `{}`)), candor.ReasonUnauthenticated)
	if before == r.m.View().Digest() {
		t.Fatal("entries do not count")
	}
	if r.get(widget("default", "a")) != nil {
		t.Fatal("a refused write was done")
	}
	r.wantReason(r.as("root", "boot", create("default", "a", `{}`)), "")
	r.wantReason(r.as("root", "", create("default", "b", `{}`)), "")
	for _, c := range []*command.Command{command.Compact(2), command.RaiseLevel(candor.FeatureLevel + 0)} {
		c.Actor, c.Verified = "bob", true
		r.wantReason(r.do(c), candor.ReasonForbidden)
	}
	// What the cluster does by itself goes on.
	r.wantReason(r.do(command.Compact(2)), "")
	r.wantReason(r.do(command.Hello("s1", "n1", "127.0.0.1:1", 1)), "")
	wantSame(t, "replayed", r.m, r.replayed())
}

// TestARightThatIsTakenAwayFirstDoesNotCount: the writes were judged by a server
// while it stood, and their turns come after.
func TestARightThatIsTakenAwayFirstDoesNotCount(t *testing.T) {
	r := newRoot(t)
	r.wantReason(r.open(0, "boot", "root"), "")
	r.wantReason(r.as("root", "",
		r.accessObject(candor.KindRoleBindings, "RoleBinding", "ana", `{"role":"operator","subjects":["ana"]}`),
		r.accessObject(candor.KindTokens, "Token", "t1", tokenSpec("ana", "2090-01-01T00:00:00Z"))), "")
	r.wantReason(r.as("ana", "t1", create("default", "a", `{}`)), "")
	queue := func(actor, accessor, name string) *command.Command {
		c := r.writeCommand(create("default", name, `{}`))
		c.Actor, c.Verified, c.Accessor = actor, true, accessor
		return c
	}
	revoke := func(kind candor.KindName, name string) *command.Command {
		c := r.writeCommand(remove(kind, "", name, ""))
		c.Actor, c.Verified = "root", true
		return c
	}
	// One entry: the revocation and, after it, the write that waited.
	results := r.entry(queue("ana", "t1", "b"), revoke(candor.KindTokens, "t1"), queue("ana", "t1", "c"), queue("ana", "", "d"), revoke(candor.KindRoleBindings, "ana"), queue("ana", "", "e"))
	for i, want := range []candor.Reason{"", "", candor.ReasonUnauthenticated, "", "", candor.ReasonForbidden} {
		if results[i].Reason != want {
			t.Errorf("%d: %s (%s), want %q", i, results[i].Reason, results[i].Message, want)
		}
	}
	wantSame(t, "replayed", r.m, r.replayed())
	restored := New(Config{ClusterID: "c1"})
	if err := restored.Restore(strings.NewReader(string(snapshotOf(t, r.m)))); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "restored", r.m, restored)
	if restored.View().AccessEpoch() != 1 || restored.View().Policy().Revision() != r.m.View().Policy().Revision() {
		t.Errorf("restored: epoch %d, policy of %d", restored.View().AccessEpoch(), restored.View().Policy().Revision())
	}
}

func TestATokenEndsAtItsTime(t *testing.T) {
	r := newRoot(t)
	r.wantReason(r.open(0, "boot", "root"), "")
	end := time.Unix(0, r.time).Add(3 * time.Second).UTC().Truncate(time.Second)
	r.wantReason(r.as("root", "", r.accessObject(candor.KindTokens, "Token", "t1", tokenSpec("root", end.Format(time.RFC3339)))), "")
	r.wantReason(r.as("root", "t1", create("default", "a", `{}`)), "")
	r.time = end.UnixNano()
	r.wantReason(r.as("root", "t1", create("default", "b", `{}`)), candor.ReasonUnauthenticated)
}

// TestAccessIsOpenedOncePerNumber: a request that is seen again opens nothing.
func TestAccessIsOpenedOncePerNumber(t *testing.T) {
	r := newRoot(t)
	r.wantReason(r.open(1, "x", "root"), candor.ReasonConflict)
	r.wantReason(r.open(0, "one", "root"), "")
	r.wantReason(r.open(0, "two", "eve"), candor.ReasonConflict)
	r.wantReason(r.open(1, "three", "root2"), "")
	r.wantReason(r.open(1, "four", "eve"), candor.ReasonConflict)
	c := &command.Command{Type: command.TypeOpenAccess, Actor: "eve", Epoch: 2, Then: []command.Operation{create("default", "a", `{}`)}}
	r.wantReason(r.do(c), candor.ReasonInvalid)
	if r.m.View().AccessEpoch() != 2 {
		t.Errorf("opened %d times", r.m.View().AccessEpoch())
	}
}

// TestATransactionNeedsEveryRightItUses: for the branch that runs, for conditions,
// for what it reads, and for what it asks besides.
func TestATransactionNeedsEveryRightItUses(t *testing.T) {
	r := newRoot(t)
	r.wantReason(r.open(0, "boot", "root"), "")
	r.wantReason(r.as("root", "",
		r.accessObject(candor.KindRoles, "Role", "maker", `{"rules":[{"verbs":["create"],"kinds":["`+string(widgets)+`"],"namePrefixes":["m-"]}]}`),
		r.accessObject(candor.KindRoleBindings, "RoleBinding", "maker", `{"role":"maker","subjects":["mia"]}`)), "")
	r.wantReason(r.as("mia", "", create("default", "m-1", `{}`)), "")
	r.wantReason(r.as("mia", "", create("default", "m-2", `{}`), create("default", "x", `{}`)), candor.ReasonForbidden)
	if r.get(widget("default", "m-2")) != nil {
		t.Error("half of a transaction was done")
	}
	r.wantReason(r.as("mia", "", command.Operation{Verb: command.VerbGet, Kind: widgets, Namespace: "default", Name: "m-1"}), candor.ReasonForbidden)
	compared := r.writeCommand(create("default", "m-3", `{}`))
	compared.Actor, compared.Verified = "mia", true
	compared.Compares = []command.Compare{{Condition: command.IfExists, Ref: widget("default", "secret"), Number: 1}}
	r.wantReason(r.do(compared), candor.ReasonForbidden)
	for actor, want := range map[string]candor.Reason{"mia": candor.ReasonForbidden, "root": ""} {
		r.wantReason(r.do(&command.Command{Type: command.TypeWrite, Actor: actor, Verified: true, Asks: []policy.Ask{{Verb: policy.Delete, Kind: policy.Members, Name: "n1"}}}), want)
	}
}

func TestBuiltInObjectsStay(t *testing.T) {
	r := newRoot(t)
	for _, b := range builtins {
		r.wantReason(r.write(remove(b.kind, "", b.name, "")), candor.ReasonInvalid)
	}
	o := r.get(candor.Ref{Kind: candor.KindRoles, Name: "viewer"})
	next := *o
	next.Spec = []byte(`{"rules":[]}`)
	r.wantReason(r.write(command.Operation{Verb: command.VerbUpdate, Kind: candor.KindRoles, KindRevision: r.kindRevision(candor.KindRoles), Object: &next}), candor.ReasonInvalid)
}
