package kinds

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/candor-plane/candor"
)

// quantities are amounts of resources as they are written.
type quantities map[string]json.RawMessage

// check refuses what is negative, does not fit, or is no whole number of base units.
func (q quantities) check(path string, wrong *faults) {
	for _, name := range slices.Sorted(maps.Keys(q)) {
		text := string(q[name])
		if len(text) > 0 && text[0] == '"' {
			if err := json.Unmarshal(q[name], &text); err != nil {
				continue // the schema's to say
			}
		}
		if _, err := candor.ParseAmount(name, text); err != nil {
			wrong.addf(0, path+keyPath(name), "%s", said(err))
		}
	}
}
