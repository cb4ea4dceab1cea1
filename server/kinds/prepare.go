package kinds

import (
	"github.com/candor-plane/candor"
)

// DefaultNamespace is where a namespaced object goes that names none.
const DefaultNamespace = "default"

// Prepare checks an object that is to be created or updated: its metadata and
// its spec. Where nothing is wrong it fills in the namespace and the defaults
// of the spec and makes the spec compact; status and observed are others' and
// stay as they are. The Error is of reason INVALID and names every field, up
// to 20; o is then unchanged.
func (k *Kind) Prepare(o *candor.Object) error {
	p, err := k.parts()
	if err != nil {
		return err
	}
	var wrong faults
	namespace := o.Metadata.Namespace
	if namespace == "" && k.Namespaced() {
		namespace = DefaultNamespace
	}
	k.checkType(o, &wrong)
	k.checkName(o.Metadata.Name, namespace, &wrong)
	checkMetadata(&o.Metadata, &wrong)

	spec, part := p.spec.prepareOrAbsent(o.Spec)
	if k.name == candor.KindKinds && !part.any() {
		part = k.checkDeclaration(o.Metadata.Name, spec)
	}
	wrong.under("spec", part)
	if check := meanings[k.name]; check != nil {
		text, satisfies := spec, !part.any()
		if !satisfies {
			text = o.Spec
		}
		checkMeaning(check, o.Metadata.Name, text, satisfies, &wrong)
	}
	if size := sizeOf(o, spec); size > candor.MaxObjectBytes && len(o.Spec) <= candor.MaxObjectBytes {
		wrong.addf(0, "object", "has %d bytes; at most %d are allowed", size, candor.MaxObjectBytes)
	}
	if wrong.any() {
		return wrong.err(k.subject(o))
	}
	o.Metadata.Namespace, o.Spec = namespace, spec
	return nil
}

func (k *Kind) checkType(o *candor.Object, wrong *faults) {
	if o.APIVersion != k.apiVersion {
		wrong.addf(0, "apiVersion", "got %s, want %q", quoted(o.APIVersion), k.apiVersion)
	}
	if o.Kind != k.spec.Names.Kind {
		wrong.addf(0, "kind", "got %s, want %q", quoted(o.Kind), k.spec.Names.Kind)
	}
}

func (k *Kind) checkName(name, namespace string, wrong *faults) {
	switch {
	case name == "":
		wrong.addf(0, "metadata.name", "required field is missing")
	case k.name == candor.KindNamespaces:
		wrong.take(candor.CheckNamespace("metadata.name", name))
	default:
		wrong.take(candor.CheckName("metadata.name", name))
	}
	switch {
	case k.Namespaced():
		wrong.take(candor.CheckNamespace("metadata.namespace", namespace))
	case namespace != "":
		wrong.addf(0, "metadata.namespace", "got %s, but %s are in no namespace", quoted(namespace), k.name)
	}
}

// sizeOf is what the parts of an object that clients and controllers fill come
// to. The stored form has a few bytes more, which the turn counts.
func sizeOf(o *candor.Object, spec []byte) int {
	m := &o.Metadata
	size := len(o.APIVersion) + len(o.Kind) + len(m.Name) + len(m.Namespace) + len(m.UID) +
		len(spec) + len(o.Status) + len(o.Observed)
	for key, value := range m.Labels {
		size += len(key) + len(value)
	}
	for key, value := range m.Annotations {
		size += len(key) + len(value)
	}
	for i := range m.Owners {
		size += len(m.Owners[i].Kind) + len(m.Owners[i].Name) + len(m.Owners[i].UID)
	}
	for _, finalizer := range m.Finalizers {
		size += len(finalizer)
	}
	return size
}

func (k *Kind) subject(o *candor.Object) string {
	if o.Metadata.Name == "" {
		return string(k.name)
	}
	return candor.Ref{Kind: k.name, Namespace: clip(o.Metadata.Namespace), Name: clip(o.Metadata.Name)}.String()
}
