package kinds

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// maxUID bounds the text of a uid.
const maxUID = 64

// checkMetadata checks what clients may write, except the object's own name.
func checkMetadata(m *candor.Metadata, wrong *faults) {
	checkEach("metadata.labels", m.Labels, candor.CheckLabels, wrong)
	checkEach("metadata.annotations", m.Annotations, candor.CheckAnnotations, wrong)
	checkOwners(m.Owners, wrong)
	checkFinalizers(m.Finalizers, wrong)
}

// checkEach finds every entry that check refuses, in the order of their keys.
func checkEach(path string, entries map[string]string, check func(string, map[string]string) error, wrong *faults) {
	err := check(path, entries)
	if err == nil {
		return
	}
	before := len(wrong.list)
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		wrong.take(check(path, map[string]string{key: entries[key]}))
	}
	if len(wrong.list) == before {
		wrong.take(err) // of all entries together
	}
}

func checkOwners(owners []candor.OwnerReference, wrong *faults) {
	if len(owners) == 0 {
		return
	}
	byUID := make(map[string]int, len(owners))
	controller := -1
	for i := range owners {
		o, path := &owners[i], "metadata.ownerReferences["+strconv.Itoa(i)+"]"
		checkOwnerKind(path+".kind", o.Kind, wrong)
		if o.Name == "" {
			wrong.addf(0, path+".name", "required field is missing")
		} else {
			wrong.take(candor.CheckName(path+".name", o.Name))
		}
		first, again := byUID[o.UID]
		switch {
		case o.UID == "":
			wrong.addf(0, path+".uid", "required field is missing")
		case len(o.UID) > maxUID:
			wrong.addf(0, path+".uid", "has %d bytes; at most %d are allowed", len(o.UID), maxUID)
		case again:
			wrong.addf(0, path+".uid", "%s is the uid of owner %d already", quoted(o.UID), first)
		default:
			byUID[o.UID] = i
		}
		if o.Controller && controller >= 0 {
			wrong.addf(0, path+".controller", "owner %d is the controller already; there is at most one", controller)
		} else if o.Controller {
			controller = i
		}
	}
}

func checkOwnerKind(path string, kind candor.KindName, wrong *faults) {
	switch {
	case kind == "":
		wrong.addf(0, path, "required field is missing")
	case kind.Group() == "":
		wrong.addf(0, path, "%s has no group: an owner's kind is PLURAL.GROUP", quoted(kind))
	default:
		wrong.take(candor.CheckName(path, string(kind)))
	}
}

// checkFinalizers takes names such as example.com/thing, and plain labels.
func checkFinalizers(finalizers []string, wrong *faults) {
	if len(finalizers) == 0 {
		return
	}
	before := make(map[string]bool, len(finalizers))
	for i, finalizer := range finalizers {
		path := "metadata.finalizers[" + strconv.Itoa(i) + "]"
		if before[finalizer] {
			wrong.addf(0, path, "%s is in the list already", quoted(finalizer))
			continue
		}
		before[finalizer] = true
		prefix, name, qualified := strings.Cut(finalizer, "/")
		if !qualified {
			prefix, name = "candor", finalizer
		}
		if candor.CheckName(path, prefix) != nil || candor.CheckNamespace(path, name) != nil {
			wrong.addf(0, path, "%s is no finalizer: want a name such as example.com/thing, or a DNS-1123 label", quoted(finalizer))
		}
	}
}
