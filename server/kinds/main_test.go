package kinds_test

import (
	"encoding/json"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/server/kinds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a source whose Kind objects a test puts there.
type store struct {
	mu       sync.Mutex
	revision uint64
	objects  []*candor.Object
}

func (s *store) KindsRevision() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

func (s *store) Kinds() []*candor.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects
}

// put stores a Kind object as the turn would: a new revision, and the object
// that was there is gone.
func (s *store) put(name string, spec []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revision++
	o := &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Kind", Spec: spec,
		Metadata: candor.Metadata{Name: name, UID: "uid-of-" + name, ResourceVersion: s.revision, CreateRevision: s.revision},
	}
	objects := []*candor.Object{o}
	for _, old := range s.objects {
		if old.Metadata.Name == name {
			o.Metadata.CreateRevision = old.Metadata.CreateRevision
			continue
		}
		objects = append(objects, old)
	}
	s.objects = objects
}

// builtIn is a registry with the kinds that every cluster has.
func builtIn(t testing.TB) (*kinds.Registry, *store) {
	t.Helper()
	s := &store{}
	s.genesis(t, "kind", "namespace")
	return kinds.New(s), s
}

// genesis puts kinds as every cluster has them.
func (s *store) genesis(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		text, err := os.ReadFile("../../fsm/genesis_" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var spec candor.KindSpec
		if err := json.Unmarshal(text, &spec); err != nil {
			t.Fatal(err)
		}
		s.put(string(spec.Name()), text)
	}
}

// declare checks a Kind object as a server would and stores it.
func declare(t testing.TB, r *kinds.Registry, s *store, name string, spec []byte) error {
	t.Helper()
	k, err := r.ByName(candor.KindKinds)
	if err != nil {
		t.Fatal(err)
	}
	o := &candor.Object{APIVersion: candor.APIVersion, Kind: "Kind", Metadata: candor.Metadata{Name: name}, Spec: spec}
	if err := k.Prepare(o); err != nil {
		return err
	}
	s.put(name, o.Spec)
	return nil
}

// web declares the kind Web of example.com with the given schemas, which may
// be empty, and returns it.
func web(t testing.TB, specSchema, statusSchema string) (*kinds.Kind, error) {
	t.Helper()
	r, s := builtIn(t)
	spec := candor.KindSpec{
		Group: "example.com", Version: "v1", Scope: candor.ScopeNamespaced,
		Names:  candor.KindNames{Kind: "Web", Plural: "webs"},
		Schema: candor.KindSchema{Spec: json.RawMessage(specSchema), Status: json.RawMessage(statusSchema)},
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatalf("the schema under test is no JSON: %v", err)
	}
	if err := declare(t, r, s, "webs.example.com", text); err != nil {
		return nil, err
	}
	return r.ByName("webs.example.com")
}

func mustWeb(t testing.TB, specSchema, statusSchema string) *kinds.Kind {
	t.Helper()
	k, err := web(t, specSchema, statusSchema)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// webObject is an object of the kind that web declares.
func webObject(spec string) *candor.Object {
	return &candor.Object{
		APIVersion: "example.com/v1", Kind: "Web", Spec: json.RawMessage(spec),
		Metadata: candor.Metadata{Name: "web-1", Namespace: "default"},
	}
}
