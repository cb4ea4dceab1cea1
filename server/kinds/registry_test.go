package kinds_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/kinds"
)

func TestNewRefusesNil(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("New(nil) returned")
		}
	}()
	kinds.New(nil)
}

// A change to one Kind object leaves the others as they were, compiled schemas
// included: the very same Kind is found.
func TestRebuildKeepsWhatHasNotChanged(t *testing.T) {
	r, s := builtIn(t)
	must(t, declare(t, r, s, "webs.example.com", kindSpec("Web", "webs", "v1", "integer")))
	web, namespaces := find(t, r, "webs.example.com"), find(t, r, candor.KindNamespaces)
	must(t, declare(t, r, s, "jobs.example.com", kindSpec("Job", "jobs", "v1", "integer")))
	if find(t, r, "webs.example.com") != web || find(t, r, candor.KindNamespaces) != namespaces {
		t.Error("a kind that did not change was made anew")
	}
	must(t, declare(t, r, s, "webs.example.com", kindSpec("Web", "webs", "v2", "string")))
	changed := find(t, r, "webs.example.com")
	if changed == web || changed.Revision() <= web.Revision() {
		t.Errorf("revision %d after a change, %d before", changed.Revision(), web.Revision())
	}
	// Whoever holds the old one goes on with it: the turn tells by its revision.
	o := webObject(`{"n":1}`)
	must(t, web.Prepare(o))
	o.APIVersion = "example.com/v2"
	if err := changed.Prepare(o); candor.ReasonOf(err) != candor.ReasonInvalid {
		t.Errorf("the changed kind took %s: %v", o.Spec, err)
	}
}

// The registry follows its source while objects are prepared: an answer is
// never older than a change that was made before the question.
func TestFollowsItsSourceConcurrently(t *testing.T) {
	r, s := builtIn(t)
	must(t, declare(t, r, s, "webs.example.com", kindSpec("Web", "webs", "v1", "integer")))
	var done atomic.Bool
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			last := uint64(0)
			for !done.Load() {
				k, err := r.ByName("webs.example.com")
				if err != nil {
					t.Error(err)
					return
				}
				if k.Revision() < last {
					t.Errorf("revision %d after %d", k.Revision(), last)
					return
				}
				last = k.Revision()
				o := webObject(`{"n":1, "list":[{}]}`)
				if err := k.Prepare(o); err != nil || string(o.Spec) != `{"n":1,"list":[{"m":1}]}` {
					t.Errorf("prepared %s: %v", o.Spec, err)
					return
				}
				if _, err := r.ByType("example.com/v1", "Web"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 50 {
		name := fmt.Sprintf("jobs%d.example.com", n)
		must(t, declare(t, r, s, name, kindSpec(fmt.Sprintf("Job%d", n), fmt.Sprintf("jobs%d", n), "v1", "integer")))
		if _, err := r.ByName(candor.KindName(name)); err != nil {
			t.Errorf("declared, then: %v", err)
		}
		s.put("webs.example.com", kindSpec("Web", "webs", "v1", "integer"))
	}
	done.Store(true)
	work.Wait()
}

// Two Kind objects of one type can only come of two requests at one moment:
// the older keeps the type, on every server.
func TestTheOlderKindKeepsItsType(t *testing.T) {
	r, s := builtIn(t)
	s.put("zebras.example.com", kindSpec("Web", "zebras", "v1", "integer"))
	s.put("webs.example.com", kindSpec("Web", "webs", "v1", "integer"))
	k, err := r.ByType("example.com/v1", "Web")
	must(t, err)
	if k.Name() != "zebras.example.com" {
		t.Errorf("the type is %s's", k.Name())
	}
}

// A stored Kind object that this build cannot use is told apart from a bad
// request, and harms no other kind.
func TestStoredKindThatCannotBeUsed(t *testing.T) {
	r, s := builtIn(t)
	s.put("broken.example.com", []byte(`{"group":7}`))
	s.put("odd.example.com", []byte(`{"group":"example.com","version":"v1","scope":"Cluster","names":{"kind":"Odd","plural":"odd"},"schema":{"spec":{"type":"future"}}}`))
	if _, err := r.ByName("broken.example.com"); candor.ReasonOf(err) != candor.ReasonInternal {
		t.Errorf("broken: %v", err)
	}
	odd, err := r.ByType("example.com/v1", "Odd")
	must(t, err)
	o := &candor.Object{APIVersion: "example.com/v1", Kind: "Odd", Metadata: candor.Metadata{Name: "a"}}
	err = odd.Prepare(o)
	var e *candor.Error
	if !errors.As(err, &e) || e.Reason != candor.ReasonInternal || e.Subject != "odd.example.com" || e.Revision != odd.Revision() {
		t.Errorf("odd: %#v", err)
	}
	for _, prepare := range []func([]byte) ([]byte, error){odd.PrepareStatus, odd.PrepareObserved} {
		if _, err := prepare([]byte(`{}`)); candor.ReasonOf(err) != candor.ReasonInternal {
			t.Errorf("odd: %v", err)
		}
	}
	find(t, r, candor.KindNamespaces)
}

// The specs of the built-in kinds pass what they ask of every other kind, but
// for their group.
func TestBuiltInKindsPassTheirOwnChecks(t *testing.T) {
	r, _ := builtIn(t)
	declarer := find(t, r, candor.KindKinds)
	for _, name := range []candor.KindName{candor.KindKinds, candor.KindNamespaces} {
		spec := find(t, r, name).Spec()
		if spec.Name() != name || spec.APIVersion() != candor.APIVersion || spec.Scope != candor.ScopeCluster {
			t.Errorf("%s declares %s of %s, %s", name, spec.Name(), spec.APIVersion(), spec.Scope)
		}
		spec.Group, spec.Names.Kind = "example.com", "Other"
		text, err := json.Marshal(spec)
		must(t, err)
		must(t, declarer.Prepare(&candor.Object{
			APIVersion: candor.APIVersion, Kind: "Kind", Metadata: candor.Metadata{Name: string(spec.Name())}, Spec: text,
		}))
	}
	for _, part := range []string{
		`{"phase":"Active"}`,
		`{"observedGeneration":1,"phase":"Terminating","conditions":[{"type":"Empty","status":"False","reason":"OBJECTS_REMAIN","lastTransitionTime":"2026-01-02T03:04:05Z"}]}`,
	} {
		_, err := find(t, r, candor.KindNamespaces).PrepareStatus([]byte(part))
		must(t, err)
	}
}

func kindSpec(kind, plural, version, typeOfN string) []byte {
	return fmt.Appendf(nil, `{"group":"example.com","version":%q,"scope":"Namespaced","names":{"kind":%q,"plural":%q},"schema":{"spec":`+
		`{"type":"object","properties":{"n":{"type":%q},"list":{"type":"array","items":{"type":"object","properties":{"m":{"type":"integer","default":1}}}}}}}}`,
		version, kind, plural, typeOfN)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
