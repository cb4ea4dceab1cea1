package kinds

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
)

// meaning finds what a schema cannot say of the objects of a built-in kind: what would
// be stored, and mean nothing or something else to who acts on it. Paths are within the
// object. The error is about a spec that does not decode as it will be decoded by those
// who act on it.
type meaning func(name string, spec []byte, wrong *faults) error

// meanings are by the names of built-in kinds, whose group no other kind may have.
var meanings = map[candor.KindName]meaning{
	candor.KindWorkloads:         workloadMeans,
	candor.KindInstances:         instanceMeans,
	candor.KindNodes:             nodeMeans,
	candor.KindPriorityClasses:   classMeans,
	candor.KindDisruptionBudgets: budgetMeans,
	candor.KindFailurePolicies:   policyMeans,
}

// checkMeaning adds what is wrong with a spec that satisfies its schema. Of one that
// does not, it only says better what the schema refused, where it can: a violated oneOf
// tells nobody what to write.
func checkMeaning(check meaning, name string, spec []byte, satisfies bool, wrong *faults) {
	if !satisfies && !json.Valid(spec) {
		return
	}
	var found faults
	if err := check(name, spec, &found); err != nil && satisfies {
		found.unreadable(err)
	}
	for _, f := range found.list {
		same := func(old fault) bool { return old.path == f.path }
		at := slices.IndexFunc(wrong.list, same)
		switch {
		case at >= 0:
			wrong.list[at].message = f.message
			rest := slices.DeleteFunc(wrong.list[at+1:], same)
			wrong.list = wrong.list[:at+1+len(rest)]
		case satisfies || f.path == "metadata.name":
			wrong.list = append(wrong.list, f)
		}
	}
}

// unreadable adds a spec that its schema accepts and Go's decoder does not: an integer
// that is written as 1.0 or 1e2.
func (f *faults) unreadable(err error) {
	odd, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok || odd.Field == "" {
		f.addf(0, "spec", "cannot be read: %v", err)
		return
	}
	// Go names the structs that are embedded, and JSON has no word for them.
	field := strings.NewReplacer("quantified.", "", "InstanceTemplate.", "").Replace(odd.Field)
	f.addf(0, "spec."+field, "cannot be read from %s: write it as a plain integer", odd.Value)
}

// said is the message of an Error of reason INVALID about one field.
func said(err error) string {
	e, ok := errors.AsType[*candor.Error](err)
	switch {
	case !ok:
		return err.Error()
	case len(e.Fields) == 0:
		return e.Message
	default:
		return e.Fields[0].Message
	}
}
