package kinds

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// The group of the built-in kinds, which no Kind object may name.
const reservedGroup = "candor"

var (
	versionText = regexp.MustCompile(`^v[1-9][0-9]{0,8}((alpha|beta)[1-9][0-9]{0,8})?$`)
	kindText    = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,62}$`)
)

// CheckKindUpdate refuses a change to a Kind object that would orphan the
// objects of the kind: group, scope and names.kind stay as they were, and so
// does names.plural, which is in the name of the Kind object. The Error is of
// reason INVALID.
func (*Kind) CheckKindUpdate(before, after candor.KindSpec) error {
	var wrong faults
	for _, fixed := range []struct{ path, before, after string }{
		{"spec.group", before.Group, after.Group},
		{"spec.scope", string(before.Scope), string(after.Scope)},
		{"spec.names.kind", before.Names.Kind, after.Names.Kind},
		{"spec.names.plural", before.Names.Plural, after.Names.Plural},
	} {
		if fixed.before != fixed.after {
			wrong.addf(0, fixed.path, "cannot change from %s to %s: objects of the kind would be lost; declare another kind",
				quoted(fixed.before), quoted(fixed.after))
		}
	}
	return wrong.err(string(before.Name()))
}

// checkDeclaration checks what the schema of kinds.candor cannot say of the
// spec of a Kind object. The paths of faults begin below the spec.
func (k *Kind) checkDeclaration(name string, text []byte) (wrong faults) {
	var spec candor.KindSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		wrong.addf(0, "", "cannot be read: %v", err)
		return wrong
	}
	checkGroup(spec, &wrong)
	checkNames(spec.Names, &wrong)
	if !versionText.MatchString(spec.Version) {
		wrong.addf(0, ".version", "%s is no version: want one such as v1, v1beta1 or v2alpha3", quoted(spec.Version))
	}
	if spec.Scope != candor.ScopeNamespaced && spec.Scope != candor.ScopeCluster {
		wrong.addf(0, ".scope", "got %s, want %q or %q", quoted(spec.Scope), candor.ScopeNamespaced, candor.ScopeCluster)
	}
	if want := string(spec.Name()); !wrong.any() && name != want {
		wrong.addf(0, ".names.plural", "does not fit metadata.name: with group %q the object is called %q, not %s", spec.Group, want, quoted(name))
	}
	if other := k.registry.declarerOf(spec); !wrong.any() && other != nil {
		wrong.addf(0, ".names.kind", "%s of group %s is declared by %s already", spec.Names.Kind, spec.Group, other.name)
	}
	_, schemas := compileParts(spec.Schema)
	for _, f := range schemas.list {
		wrong.addf(0, ".schema."+f.path, "%s", f.message)
	}
	wrong.beyond += schemas.beyond
	checkColumns(spec.PrinterColumns, &wrong)
	return wrong
}

func checkGroup(spec candor.KindSpec, wrong *faults) {
	if spec.Group == reservedGroup {
		wrong.addf(0, ".group", "%q is reserved for the built-in kinds", spec.Group)
		return
	}
	wrong.take(candor.CheckName(".group", spec.Group))
}

func checkNames(names candor.KindNames, wrong *faults) {
	if !kindText.MatchString(names.Kind) {
		wrong.addf(0, ".names.kind", "%s is no kind: want upper camel case, such as CronTab, of at most 63 letters and digits", quoted(names.Kind))
	}
	wrong.take(candor.CheckNamespace(".names.plural", names.Plural))
	if names.Singular != "" {
		wrong.take(candor.CheckNamespace(".names.singular", names.Singular))
	}
	for i, short := range names.ShortNames {
		path := ".names.shortNames[" + strconv.Itoa(i) + "]"
		wrong.take(candor.CheckNamespace(path, short))
		if short == names.Plural || short == names.Singular || slices.Contains(names.ShortNames[:i], short) {
			wrong.addf(0, path, "%s is a name of the kind already", quoted(short))
		}
	}
}

// declarerOf is another kind with the group and kind of spec, nil for none.
func (r *Registry) declarerOf(spec candor.KindSpec) *Kind {
	for _, k := range r.current().byType {
		if k.spec.Group == spec.Group && k.spec.Names.Kind == spec.Names.Kind && k.name != spec.Name() {
			return k
		}
	}
	return nil
}

// maxColumns bounds the printer columns of a kind.
const maxColumns = 32

func checkColumns(columns []candor.PrinterColumn, wrong *faults) {
	if len(columns) > maxColumns {
		wrong.addf(0, ".printerColumns", "has %d columns; at most %d are allowed", len(columns), maxColumns)
		return
	}
	for i, column := range columns {
		path := ".printerColumns[" + strconv.Itoa(i) + "]"
		switch {
		case strings.TrimSpace(column.Name) == "":
			wrong.addf(0, path+".name", "required field is missing")
		case slices.ContainsFunc(columns[:i], func(c candor.PrinterColumn) bool { return strings.EqualFold(c.Name, column.Name) }):
			wrong.addf(0, path+".name", "%s is the name of an earlier column", quoted(column.Name))
		}
		if problem := checkColumnPath(column.Path); problem != "" {
			wrong.addf(0, path+".path", "%s: %s", quoted(column.Path), problem)
		}
	}
}
