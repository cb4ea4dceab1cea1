package shim

import (
	"maps"
	"os"
	"slices"
)

const (
	uidVariable       = "CANDOR_INSTANCE_UID"
	nameVariable      = "CANDOR_INSTANCE"
	namespaceVariable = "CANDOR_NAMESPACE"
)

// inherited are the variables that a command gets of the worker's own: none with
// secrets.
var inherited = []string{"PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR"}

// Environment is what an instance's command runs in: what the order says, over a few
// variables of this process, and who it is.
func Environment(o *Order) []string {
	own := o.Template.Env
	var env []string
	for _, name := range inherited {
		if _, given := own[name]; given {
			continue
		}
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if name != uidVariable && name != nameVariable && name != namespaceVariable {
			env = append(env, name+"="+own[name])
		}
	}
	return append(env, uidVariable+"="+o.UID, nameVariable+"="+o.Name, namespaceVariable+"="+o.Namespace)
}
