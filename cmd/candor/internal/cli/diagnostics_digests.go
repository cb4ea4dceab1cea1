package cli

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// compareDigests says whether the servers that tell have the same state where
// they can be compared: at the highest index that all of them know, and
// nowhere differently.
func compareDigests(nodes []nodeDocument) string {
	byIndex := map[uint64]map[string][]string{}
	told := 0
	for _, node := range nodes {
		if len(node.digests) > 0 {
			told++
		}
		for _, d := range node.digests {
			if byIndex[d.Index] == nil {
				byIndex[d.Index] = map[string][]string{}
			}
			digest := hex.EncodeToString(d.Digest)
			byIndex[d.Index][digest] = append(byIndex[d.Index][digest], node.name())
		}
	}
	if told < 2 {
		return "Digests: nothing to compare; fewer than two servers tell theirs."
	}
	shared := uint64(0)
	for _, index := range slices.Sorted(maps.Keys(byIndex)) {
		if len(byIndex[index]) > 1 {
			return differing(index, byIndex[index])
		}
		for _, names := range byIndex[index] {
			if len(names) == told {
				shared = index
			}
		}
	}
	if shared == 0 {
		return fmt.Sprintf("Digests: %d servers tell theirs, and no index is known to all of them; ask again.", told)
	}
	return fmt.Sprintf("Digests: %d servers have the same state at index %d.", told, shared)
}

func differing(index uint64, digests map[string][]string) string {
	var groups []string
	for digest, names := range digests {
		groups = append(groups, strings.Join(names, ", ")+": "+digest)
	}
	slices.Sort(groups)
	return output.Clean(fmt.Sprintf("Digests: the states DIFFER at index %d: %s.", index, strings.Join(groups, "; ")))
}
