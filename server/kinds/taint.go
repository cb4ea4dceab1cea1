package kinds

import (
	"encoding/json"
	"strconv"

	"github.com/candor-plane/candor"
)

func nodeMeans(name string, spec []byte, wrong *faults) error {
	if n := len(name); n > maxNodeName {
		wrong.addf(0, "metadata.name", "%s has %d bytes; of a node at most %d are allowed: the label %s of its instances is its name",
			quoted(name), n, maxNodeName, candor.LabelNode)
	}
	var s candor.NodeSpec
	if err := json.Unmarshal(spec, &s); err != nil {
		return err
	}
	type place struct {
		key    string
		effect candor.TaintEffect
	}
	first := make(map[place]int, len(s.Taints))
	for i, t := range s.Taints {
		path, at := "spec.taints["+strconv.Itoa(i)+"]", place{t.Key, t.Effect}
		if before, twice := first[at]; twice {
			wrong.addf(0, path, "%s:%s is a taint of the node already, at taints[%d]", t.Key, t.Effect, before)
		} else {
			first[at] = i
		}
		checkEffect(path+".effect", t.Effect, wrong)
	}
	return nil
}

// checkEffect says what the effects are; an absent one is the schema's to judge.
func checkEffect(path string, e candor.TaintEffect, wrong *faults) {
	known := []string{string(candor.NoSchedule), string(candor.PreferNoSchedule), string(candor.NoExecute)}
	for _, k := range known {
		if string(e) == k || e == "" {
			return
		}
	}
	wrong.addf(0, path, "%s is no effect%s; the effects are %s, %s and %s", quoted(string(e)), suggest(string(e), known), known[0], known[1], known[2])
}

func checkToleration(path string, t *candor.Toleration, wrong *faults) {
	checkEffect(path+".effect", t.Effect, wrong)
	if t.Key == "" {
		return
	}
	if err := candor.CheckLabels(path+".key", map[string]string{t.Key: ""}); err != nil {
		wrong.addf(0, path+".key", "%s", said(err))
	}
}
