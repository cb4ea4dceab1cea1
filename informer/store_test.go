package informer_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

const nodeLabel = "candor/node"

func at(revision uint64) candor.Token {
	return candor.Token{Term: 1, Index: revision, Revision: revision}
}

// filled is a store of instances and workloads at revision 10.
func filled(t failing, objects ...*candor.Object) *informer.Store {
	t.Helper()
	s := informer.New([]candor.KindName{candor.KindInstances, candor.KindWorkloads}, informer.Label{Kind: candor.KindInstances, Key: nodeLabel})
	must(t, s.Replace(candor.KindInstances, at(10), objects))
	must(t, s.Replace(candor.KindWorkloads, at(10), nil))
	return s
}

func must(t failing, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func version(o *candor.Object) informer.Version {
	return informer.Version{Kind: candor.KindInstances, Object: o}
}

func placed(o *candor.Object, node, owner string) *candor.Object {
	o.Metadata.Labels = map[string]string{nodeLabel: node}
	o.Metadata.Owners = []candor.OwnerReference{{Kind: candor.KindWorkloads, Name: owner, UID: owner, Controller: true}}
	return o
}

func TestAReaderDoesNotChangeAndTheNextShowsWholeRevisions(t *testing.T) {
	s := filled(t, instance("a", 5, `{}`, "", ""))
	before := s.Read()
	must(t, s.Apply(at(12), []informer.Version{
		version(instance("b", 11, `{}`, "", "")),
		{Kind: candor.KindInstances, Object: instance("a", 5, `{}`, "", ""), Gone: true, Revision: 12},
	}))
	after := s.Read()
	if names(before) != "a" || names(after) != "b" || before.Token() != at(10) || after.Token() != at(12) {
		t.Errorf("before %s at %s, after %s at %s", names(before), before.Token(), names(after), after.Token())
	}
}

func names(r *informer.Reader) (out string) {
	for item := range r.List(candor.KindInstances, "") {
		out += item.Metadata.Name
	}
	return out
}

func TestWhatIsDecodedOutlivesAChangeOfAnotherSection(t *testing.T) {
	decodings.n = 0
	s := filled(t, instance("a", 5, `{"priority":1}`, "", ""))
	ref := candor.Ref{Kind: candor.KindInstances, Namespace: "shop", Name: "a"}
	first, err := informer.Spec[counted](s.Read().Get(ref))
	must(t, err)
	must(t, s.Apply(at(11), []informer.Version{version(instance("a", 11, `{"priority":1}`, `{"phase":"Placed"}`, ""))}))
	second, err := informer.Spec[counted](s.Read().Get(ref))
	must(t, err)
	must(t, s.Apply(at(12), []informer.Version{version(instance("a", 12, `{"priority":2}`, `{"phase":"Placed"}`, ""))}))
	third, err := informer.Spec[counted](s.Read().Get(ref))
	must(t, err)
	if first != second || third.Priority != 2 || decodings.n != 2 {
		t.Errorf("%+v, %+v, %+v after %d decodings", first, second, third, decodings.n)
	}
}

func TestASubscriberIsToldOfEveryChangeOnceAndInOrder(t *testing.T) {
	s := filled(t, instance("a", 5, `{}`, "", ""))
	var told []string
	now, cancel := s.Subscribe(func(b informer.Batch) {
		for i := range b.Changes {
			c := &b.Changes[i]
			told = append(told, c.Ref.Name+" "+at(c.Revision).String()[2:])
			if got := b.Reader.Get(c.Ref); i == len(b.Changes)-1 && got != c.After || c.Item() == nil {
				t.Errorf("the batch's reader shows %v, the change %v", got, c.After)
			}
		}
	})
	if names(now) != "a" {
		t.Errorf("it begins with %s", names(now))
	}
	must(t, s.Apply(at(12), []informer.Version{version(instance("b", 11, `{}`, "", "")), version(instance("b", 12, `{}`, "", ""))}))
	must(t, s.Apply(at(13), []informer.Version{version(instance("b", 12, `{}`, "", ""))})) // it has that already
	must(t, s.Replace(candor.KindInstances, at(20), []*candor.Object{instance("b", 12, `{}`, "", ""), instance("c", 17, `{}`, "", "")}))
	cancel()
	must(t, s.Apply(at(21), []informer.Version{version(instance("d", 21, `{}`, "", ""))}))
	want := []string{"b 11/11", "b 12/12", "c 17/17", "a 20/20"}
	if d := cmp.Diff(want, told); d != "" {
		t.Error(d)
	}
}

func TestAStoreRefusesToGoBackAndWhatItIsNotOf(t *testing.T) {
	s := filled(t)
	for name, row := range map[string]struct {
		err  error
		want candor.Reason
	}{
		"back":           {s.Apply(at(9), nil), candor.ReasonInvariantViolated},
		"list back":      {s.Replace(candor.KindInstances, at(9), nil), candor.ReasonInvariantViolated},
		"other kind":     {s.Apply(at(11), []informer.Version{{Kind: candor.KindNodes, Object: instance("a", 11, "", "", "")}}), candor.ReasonInvalid},
		"other list":     {s.Replace(candor.KindNodes, at(11), nil), candor.ReasonInvalid},
		"other stream":   {s.ApplyKind(candor.KindWorkloads, at(11), []informer.Version{version(instance("a", 11, "", "", ""))}), candor.ReasonInvalid},
		"nothing":        {s.Apply(at(11), []informer.Version{{Kind: candor.KindInstances}}), candor.ReasonInvalid},
		"not filled yet": {informer.New([]candor.KindName{candor.KindNodes}).Apply(at(1), nil), candor.ReasonInvalid},
	} {
		if candor.ReasonOf(row.err) != row.want {
			t.Errorf("%s: got %v, want %s", name, row.err, row.want)
		}
	}
	if r := s.Read(); r.Token() != at(10) || r.Len(candor.KindInstances) != 0 {
		t.Errorf("a refusal left %s with %d", r.Token(), r.Len(candor.KindInstances))
	}
}

func TestWaitForWaitsForTheKindsThatAreAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := filled(t)
		must(t, s.WaitFor(t.Context(), 10))
		began := time.Now()
		go func() {
			time.Sleep(time.Second)
			_ = s.ApplyKind(candor.KindInstances, at(15), nil)
			time.Sleep(time.Second)
			_ = s.ApplyKind(candor.KindWorkloads, at(14), nil)
		}()
		must(t, s.WaitFor(t.Context(), 14, candor.KindInstances))
		one := time.Since(began)
		must(t, s.WaitFor(t.Context(), 14))
		if all := time.Since(began); one != time.Second || all != 2*time.Second {
			t.Errorf("instances after %v, all after %v", one, all)
		}
		if got := s.Read().Token(); got != at(14) {
			t.Errorf("the token is %s, which not every kind has reached", got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.WaitFor(ctx, 99); candor.ReasonOf(err) != candor.ReasonRootTokenNotReached {
			t.Errorf("got %v", err)
		}
	})
}

// Whatever is applied, listed or gone: each index shows what a scan of all shows.
func TestIndexesAreAlwaysWhatAScanWouldFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := filled(t)
		revision := uint64(10)
		model := map[string]*candor.Object{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			var versions []informer.Version
			for range rapid.IntRange(1, 4).Draw(t, "batch") {
				revision++
				name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "name")
				o := instance(name, revision, `{}`, "", "")
				if rapid.Bool().Draw(t, "placed") {
					placed(o, rapid.SampledFrom([]string{"n1", "n2", ""}).Draw(t, "node"), rapid.SampledFrom([]string{"w1", "w2"}).Draw(t, "owner"))
				}
				gone := model[name] != nil && rapid.Bool().Draw(t, "gone")
				versions = append(versions, informer.Version{Kind: candor.KindInstances, Object: o, Gone: gone, Revision: revision})
				if model[name] = o; gone {
					delete(model, name)
				}
			}
			if rapid.IntRange(0, 4).Draw(t, "relist") > 0 {
				must(t, s.Apply(at(revision), versions))
			} else {
				var list []*candor.Object
				for _, o := range model {
					list = append(list, o)
				}
				must(t, s.Replace(candor.KindInstances, at(revision), list))
				must(t, s.ApplyKind(candor.KindWorkloads, at(revision), nil))
			}
			agree(t, s.Read(), model)
		}
	})
}

func agree(t *rapid.T, r *informer.Reader, model map[string]*candor.Object) {
	if r.Len(candor.KindInstances) != len(model) {
		t.Fatalf("%d objects, want %d", r.Len(candor.KindInstances), len(model))
	}
	for _, node := range []string{"n1", "n2", ""} {
		want := []string{}
		for name, o := range model {
			if value, has := o.Metadata.Labels[nodeLabel]; has && value == node {
				want = append(want, name)
			}
		}
		same(t, "node "+node, slices.Collect(r.Labelled(candor.KindInstances, nodeLabel, node)), want, model)
	}
	for _, owner := range []string{"w1", "w2"} {
		want := []string{}
		for name, o := range model {
			if len(o.Metadata.Owners) > 0 && o.Metadata.Owners[0].UID == owner {
				want = append(want, name)
			}
		}
		same(t, "owner "+owner, slices.Collect(r.Owned(owner)), want, model)
	}
}

func same(t *rapid.T, what string, got []*informer.Item, want []string, model map[string]*candor.Object) {
	slices.Sort(want)
	names := []string{}
	for _, item := range got {
		names = append(names, item.Metadata.Name)
		if item.Object != model[item.Metadata.Name] && item.Metadata.ResourceVersion != model[item.Metadata.Name].Metadata.ResourceVersion {
			t.Fatalf("%s: %s is an old version", what, item.Metadata.Name)
		}
	}
	if !slices.Equal(names, want) {
		t.Fatalf("%s: %v, want %v", what, names, want)
	}
}

// failing is a test, a benchmark or a rapid one.
type failing interface {
	Helper()
	Fatal(args ...any)
}
