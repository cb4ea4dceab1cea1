package sim

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
)

// placementBook counts again, from the objects alone, what live placements hold, and
// which nodes take any.
type placementBook struct {
	cpu map[string]int
	// closed are nodes that somebody has closed, which are told here by their spec alone.
	closed map[string]bool
	place  map[string]string
	needs  map[string]int
}

func (b *placementBook) init() {
	b.cpu, b.closed, b.place, b.needs = map[string]int{}, map[string]bool{}, map[string]string{}, map[string]int{}
}

type observed struct {
	Session  string `json:"session"`
	Capacity struct {
		CPU string `json:"cpu"`
	} `json:"capacity"`
}

func observedOf(o *candor.Object) observed {
	var x observed
	if len(o.Observed) > 0 {
		_ = json.Unmarshal(o.Observed, &x) // what cannot be read observed nothing
	}
	return x
}

// version takes one of a node or an instance. An instance that gets a place must fit:
// what is observed later may not take it back.
func (b *placementBook) version(w *world, kind candor.KindName, x *mvcc.Version, o *candor.Object) {
	if kind == candor.KindNodes {
		cpu, _ := strconv.Atoi(observedOf(o).Capacity.CPU) // 0 of a node that observed none
		name := strings.TrimPrefix(x.Key, "/")
		b.cpu[name], b.closed[name] = cpu, x.Deleted || strings.Contains(string(o.Spec), `"unschedulable":true`)
		return
	}
	var status candor.InstanceStatus
	if len(o.Status) > 0 {
		if err := json.Unmarshal(o.Status, &status); err != nil {
			w.fail("decoding", "%s: %v", x.Key, err)
			return
		}
	}
	if x.Deleted || status.Node == "" || status.Phase.Ended() {
		delete(b.place, x.Key)
		return
	}
	if was := b.place[x.Key]; was != "" {
		if was != status.Node {
			w.fail("OneLivePlacementPerInstance", "%s went from %s to %s at revision %d", x.Key, was, status.Node, x.Revision)
		}
		return
	}
	var spec struct {
		Resources struct {
			CPU string `json:"cpu"`
		} `json:"resources"`
	}
	_ = json.Unmarshal(o.Spec, &spec) // the simulator wrote it
	b.needs[x.Key], _ = strconv.Atoi(spec.Resources.CPU)
	b.place[x.Key] = status.Node
	held := 0
	for key, node := range b.place {
		if node == status.Node {
			held += b.needs[key]
		}
	}
	w.checked("placements", 1)
	if b.closed[status.Node] {
		w.fail("ClosedNodesTakeNothing", "at revision %d, %s is placed on %s, which takes nothing then", x.Revision, x.Key, status.Node)
	}
	if held > b.cpu[status.Node] {
		w.fail("CapacityNotExceeded", "at revision %d, %s is placed on %s, which has %d CPUs, and %d are held then", x.Revision, x.Key, status.Node, b.cpu[status.Node], held)
	}
}
