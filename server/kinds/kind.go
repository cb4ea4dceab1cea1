package kinds

import (
	"bytes"
	"encoding/json"
	"sync"

	"github.com/candor-plane/candor"
)

// Kind is one declared kind at one revision of its Kind object. It is
// immutable and may be used by many goroutines at once.
type Kind struct {
	registry   *Registry
	name       candor.KindName
	uid        string
	revision   uint64
	spec       candor.KindSpec
	apiVersion string
	// broken says why the Kind object could not be read.
	broken error
	// parts compiles the schemas when they are first needed.
	parts func() (*parts, error)
}

// parts are the compiled schemas of a kind.
type parts struct {
	spec, status *schema
	// observed is nil if the status schema refuses such a member.
	observed *schema
}

func newKind(r *Registry, o *candor.Object) *Kind {
	k := &Kind{
		registry: r, name: candor.KindName(o.Metadata.Name),
		uid: o.Metadata.UID, revision: o.Metadata.ResourceVersion,
	}
	if err := json.Unmarshal(o.Spec, &k.spec); err != nil {
		k.broken = k.fault("cannot be read: %v", err)
	}
	k.apiVersion = k.spec.APIVersion()
	k.parts = sync.OnceValues(k.compile)
	return k
}

// Name is that of the Kind object.
func (k *Kind) Name() candor.KindName { return k.name }

// Revision is the resourceVersion of the Kind object. A command carries it, so
// that the turn can tell whether the object was checked against the kind as it
// then is.
func (k *Kind) Revision() uint64 { return k.revision }

// Spec is what the Kind object declares. It shares its memory with the kind
// and must not be modified.
func (k *Kind) Spec() candor.KindSpec { return k.spec }

// Namespaced says whether objects of the kind live in a namespace.
func (k *Kind) Namespaced() bool { return k.spec.Scope == candor.ScopeNamespaced }

// PrepareStatus checks the reconciled part of an object, fills in defaults and
// returns it compact: status itself where there is nothing to change, nil where
// it is absent or null. The Error is of reason INVALID.
func (k *Kind) PrepareStatus(status []byte) ([]byte, error) {
	p, err := k.parts()
	if err != nil {
		return nil, err
	}
	out, part := p.status.prepareOrAbsent(status)
	var wrong faults
	if p.observed != nil && hasObserved(status) {
		wrong.addf(0, "status.observed", "is written by observers, apart from the rest of status")
	}
	wrong.under("status", part)
	if wrong.any() {
		return nil, wrong.err(string(k.name))
	}
	return out, nil
}

// PrepareObserved does the same for the observed part, against what the status
// schema says of its member "observed".
func (k *Kind) PrepareObserved(observed []byte) ([]byte, error) {
	p, err := k.parts()
	if err != nil {
		return nil, err
	}
	var wrong faults
	if p.observed == nil {
		wrong.addf(0, "status.observed", "unknown field: the status schema of %s has no observed part", k.name)
		return nil, wrong.err(string(k.name))
	}
	out, part := p.observed.prepareOrAbsent(observed)
	wrong.under("status.observed", part)
	if wrong.any() {
		return nil, wrong.err(string(k.name))
	}
	return out, nil
}

func (k *Kind) readable() (*Kind, error) {
	if k.broken != nil {
		return nil, k.broken
	}
	return k, nil
}

func (k *Kind) compile() (*parts, error) {
	p, wrong := compileParts(k.spec.Schema)
	if wrong.any() {
		return nil, k.fault("does not compile here: %v", wrong.err(""))
	}
	return p, nil
}

// fault is an Error about the Kind object itself: it passed once, so this is
// not the caller's mistake.
func (k *Kind) fault(format string, args ...any) error {
	e := candor.Errorf(candor.ReasonInternal, "kind "+string(k.name)+" "+format, args...)
	e.Subject, e.Revision = string(k.name), k.revision
	return e
}

// compileParts compiles the schemas of a kind; the paths of faults begin with
// "spec" or "status".
func compileParts(s candor.KindSchema) (p *parts, wrong faults) {
	p = &parts{spec: &schema{}, status: &schema{}, observed: &schema{}}
	var part faults
	if len(s.Spec) > 0 {
		p.spec, part = compile(s.Spec)
		wrong.under("spec", part)
	}
	if len(s.Status) > 0 {
		p.status, part = compile(s.Status)
		wrong.under("status", part)
		if part.any() {
			return p, wrong
		}
		p.observed, _ = p.status.part(observedName)
		wrong.under("status", p.status.separate(observedName))
	}
	return p, wrong
}

// observedName is the member of status that observers write.
const observedName = "observed"

// separate finds what ties a member to the rest of its object, though the two
// are written apart.
func (s *schema) separate(name string) (wrong faults) {
	if s.shape == nil {
		return wrong
	}
	f := s.shape.fields[name]
	if f == nil {
		return wrong
	}
	for _, required := range s.shape.required {
		if required == f {
			wrong.addf(0, ".required", "names %q, which is written apart from the rest of status", name)
		}
	}
	if f.shape != nil && f.shape.fallback != nil {
		wrong.addf(0, f.shape.fallback.path, "would be written by clients of status: %q is written apart from the rest", name)
	}
	return wrong
}

// hasObserved looks closely only where the name, or an escape that may hide
// it, is in the text.
func hasObserved(status []byte) bool {
	if !bytes.Contains(status, []byte(`"`+observedName+`"`)) && !bytes.ContainsRune(status, '\\') {
		return false
	}
	var d document
	if d.parse(status) != nil || d.nodes[0].kind != objectNode {
		return false
	}
	_, has := d.child(0, observedName)
	return has
}
