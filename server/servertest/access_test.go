package servertest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server/servertest"
)

// keys are the clients of a cluster whose access control is on.
type keys struct {
	t       *testing.T
	cluster *servertest.Cluster
	root    *client.Client
}

// with is a client with that token, empty for none.
func (k *keys) with(token string, endpoints ...string) *client.Client {
	k.t.Helper()
	if len(endpoints) == 0 {
		for _, s := range k.cluster.Servers() {
			endpoints = append(endpoints, s.Name())
		}
	}
	c, err := client.New(client.Config{Endpoints: endpoints, Token: token, Dialer: k.cluster.Dialer()})
	noError(k.t, err)
	k.t.Cleanup(func() { noError(k.t, c.Close()) })
	return c
}

func openAccess(t *testing.T, c *servertest.Cluster) *keys {
	t.Helper()
	k := &keys{t: t, cluster: c}
	token := client.NewToken()
	epoch, err := k.with("").Access("").Open(t.Context(), client.Opening{Actor: "root", Token: token, Expires: time.Now().Add(24 * time.Hour)})
	noError(t, err)
	if epoch != 1 {
		t.Fatalf("opened %d times", epoch)
	}
	k.settle()
	k.root = k.with(token.String())
	return k
}

// settle waits until every server judges by the same policy.
func (k *keys) settle() {
	k.t.Helper()
	want := k.cluster.Leader().Machine().View()
	k.cluster.Until("every server has the policy", func() bool {
		for _, s := range k.cluster.Servers() {
			if v := s.Machine().View(); v.AccessEpoch() != want.AccessEpoch() || v.Policy().Revision() < want.Policy().Revision() {
				return false
			}
		}
		return true
	})
}

func accessObject(kind, name, spec string) *candor.Object {
	return &candor.Object{APIVersion: candor.APIVersion, Kind: kind, Metadata: candor.Metadata{Name: name}, Spec: []byte(spec)}
}

// token gives the actor a token and a role, and returns its client.
func (k *keys) token(actor, role string) (*client.Client, candor.Bearer) {
	k.t.Helper()
	b := client.NewToken()
	_, err := k.root.Create(k.t.Context(), accessObject("Token", b.Accessor, `{"actor":"`+actor+`","hash":"`+client.HashOf(b)+`","expires":"2090-01-01T00:00:00Z"}`))
	noError(k.t, err)
	if role != "" {
		_, err = k.root.Create(k.t.Context(), accessObject("RoleBinding", actor+"-"+role, `{"role":"`+role+`","subjects":["`+actor+`"]}`))
		noError(k.t, err)
	}
	k.settle()
	return k.with(b.String()), b
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestOnceAccessIsOpenedEveryRequestNeedsARight over all servers: who is not known,
// who is and may nothing, who may read, who may write, and who may administrate.
func TestOnceAccessIsOpenedEveryRequestNeedsARight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		mustCreate(t, c.Client(t), "known")
		k := openAccess(t, c)
		viewer, _ := k.token("vera", "viewer")
		operator, _ := k.token("olga", "operator")
		nobody, _ := k.token("nick", "")
		stranger, forger := k.with(""), k.with(client.NewToken().String())
		for _, s := range c.Servers() {
			at := client.OnEndpoint(s.Name())
			weak := client.WithFreshness(candor.FreshnessBestEffort)
			for who, test := range map[string]struct {
				client      *client.Client
				read, write candor.Reason
			}{
				"stranger": {stranger, candor.ReasonUnauthenticated, candor.ReasonUnauthenticated},
				"forger":   {forger, candor.ReasonUnauthenticated, candor.ReasonUnauthenticated},
				"nobody":   {nobody, candor.ReasonForbidden, candor.ReasonForbidden},
				"viewer":   {viewer, "", candor.ReasonForbidden},
				"operator": {operator, "", ""},
				"root":     {k.root, "", ""},
			} {
				_, w, err := test.client.Get(t.Context(), refOf("known"), at, weak)
				if candor.ReasonOf(err) != test.read {
					t.Errorf("%s reads at %s: %v", who, s.Name(), err)
				}
				if w.PolicyRevision == 0 && err == nil {
					t.Errorf("%s: the witness does not say how old the policy was: %+v", who, w)
				}
				if _, err = test.client.List(t.Context(), candor.KindNamespaces, client.ListOptions{}, at, weak); candor.ReasonOf(err) != test.read {
					t.Errorf("%s lists at %s: %v", who, s.Name(), err)
				}
				o := accessObject("Namespace", "by-"+who+"-"+s.Name(), `{}`)
				if _, err = test.client.Create(t.Context(), o); candor.ReasonOf(err) != test.write {
					t.Errorf("%s writes: %v", who, err)
				}
				// Nobody but the administrator may become somebody else.
				token := client.NewToken()
				_, err = test.client.Create(t.Context(), accessObject("Token", token.Accessor, `{"actor":"eve","hash":"`+client.HashOf(token)+`","expires":"2090-01-01T00:00:00Z"}`))
				if (err == nil) != (who == "root") {
					t.Errorf("%s makes a token: %v", who, err)
				}
			}
		}
		object, _, err := k.root.Get(t.Context(), refOf("by-operator-n1"))
		noError(t, err)
		if object.Cause.Actor != "olga" {
			t.Errorf("made by %s", object.Cause.Actor)
		}
		_, err = viewer.Cluster().Compact(t.Context(), 2)
		wantReason(t, err, candor.ReasonForbidden)
		self, err := viewer.Access("").WhoAmI(t.Context())
		noError(t, err)
		if self.Actor != "vera" || self.Proof != candor.ProofToken || self.AccessEpoch != 1 || len(self.Roles) != 1 || self.Roles[0] != "viewer" {
			t.Errorf("%+v", self)
		}
		verdict, err := viewer.Access("").CanI(t.Context(), client.Ask{Verb: "delete", Kind: "namespaces.candor", Name: "known"})
		noError(t, err)
		if verdict.Allowed || verdict.Message == "" {
			t.Errorf("%+v", verdict)
		}
		_, err = k.with("").Access("").Open(t.Context(), client.Opening{Actor: "eve", Token: client.NewToken(), Expires: time.Now().Add(time.Hour)})
		wantReason(t, err, candor.ReasonConflict)
		_, err = k.with("").Access("n1").Open(t.Context(), client.Opening{Actor: "eve", Token: client.NewToken(), Expires: time.Now().Add(time.Hour), Reset: true})
		wantReason(t, err, candor.ReasonForbidden)
	})
}

// TestNobodyActsAsSomebodyElse: neither by a word beside a token, nor as what the
// cluster does by itself.
func TestNobodyActsAsSomebodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := servertest.Start(t)
		asSystem, err := client.New(client.Config{Endpoints: []string{"n1"}, Actor: candor.ActorSystem, Dialer: c.Dialer()})
		noError(t, err)
		defer func() { noError(t, asSystem.Close()) }()
		_, err = asSystem.Create(t.Context(), accessObject("Namespace", "x", `{}`))
		wantReason(t, err, candor.ReasonForbidden)
		k := openAccess(t, c)
		_, b := k.token("ana", "operator")
		asBob, err := client.New(client.Config{Endpoints: []string{"n1"}, Actor: "bob", Token: b.String(), Dialer: c.Dialer()})
		noError(t, err)
		defer func() { noError(t, asBob.Close()) }()
		_, err = asBob.Create(t.Context(), accessObject("Namespace", "x", `{}`))
		wantReason(t, err, candor.ReasonForbidden)
	})
}

// TestAWatchEndsWhenTheRightGoes, at once for a token or binding that is taken
// away, also where the kind that is watched is quiet.
func TestAWatchEndsWhenTheRightGoes(t *testing.T) {
	for name, revoke := range map[string]func(k *keys, b candor.Bearer) error{
		"token": func(k *keys, b candor.Bearer) error {
			_, err := k.root.Delete(k.t.Context(), candor.Ref{Kind: candor.KindTokens, Name: b.Accessor})
			return err
		},
		"binding": func(k *keys, _ candor.Bearer) error {
			_, err := k.root.Delete(k.t.Context(), candor.Ref{Kind: candor.KindRoleBindings, Name: "ana-viewer"})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := servertest.Start(t)
				k := openAccess(t, c)
				ana, b := k.token("ana", "viewer")
				w, err := ana.Watch(t.Context(), client.WatchOptions{Kind: candor.KindNamespaces})
				noError(t, err)
				defer func() { _ = w.Close() }()
				noError(t, revoke(k, b))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				for {
					_, err := w.Next(ctx)
					if err == nil {
						continue
					}
					wantReason(t, err, candor.ReasonForbidden, candor.ReasonUnauthenticated)
					return
				}
			})
		})
	}
}
