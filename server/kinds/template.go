package kinds

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/candor-plane/candor"
)

// reservedLabels begin those that the system sets, and acts on.
const reservedLabels = "candor/"

// quantified is an instance's template with quantities that are still to be read.
type quantified struct {
	candor.InstanceTemplate
	Resources quantities `json:"resources"`
}

// instanceMeans is of instances that are made by hand or by a controller.
func instanceMeans(_ string, spec []byte, wrong *faults) error {
	var i struct {
		quantified
		Priority int32 `json:"priority"`
	}
	if err := json.Unmarshal(spec, &i); err != nil {
		return err
	}
	i.check("spec", wrong)
	return nil
}

// check finds what is wrong with a template at the path.
func (t *quantified) check(path string, wrong *faults) {
	for _, key := range slices.Sorted(maps.Keys(t.Labels)) {
		if strings.HasPrefix(key, reservedLabels) {
			wrong.addf(0, path+".labels"+keyPath(key), "labels that begin with %s are the system's to set", reservedLabels)
		}
	}
	checkCommand(path+".command", t.Command, wrong)
	for _, key := range slices.Sorted(maps.Keys(t.Env)) {
		checkText(path+".env"+keyPath(key), t.Env[key], wrong)
	}
	checkText(path+".dir", t.Dir, wrong)
	t.Resources.check(path+".resources", wrong)
	for i := range t.Affinity {
		checkAffinity(path+".affinity["+strconv.Itoa(i)+"]", &t.Affinity[i], wrong)
	}
	for i := range t.Spread {
		checkSelector(path+".spread["+strconv.Itoa(i)+"].instances", t.Spread[i].Instances, wrong)
	}
	for i := range t.Tolerations {
		checkToleration(path+".tolerations["+strconv.Itoa(i)+"]", &t.Tolerations[i], wrong)
	}
	if t.Health != nil {
		checkProbe(path+".health", t.Health, wrong)
	}
}

func checkCommand(path string, command []string, wrong *faults) {
	for i, argument := range command {
		at := path + "[" + strconv.Itoa(i) + "]"
		if i == 0 && argument == "" {
			wrong.addf(0, at, "is empty: want a program")
			continue
		}
		checkText(at, argument, wrong)
	}
}

// checkText is of what a process is started with.
func checkText(path, text string, wrong *faults) {
	if at := strings.IndexByte(text, 0); at >= 0 {
		wrong.addf(0, path, "has a NUL at byte %d, which no process can be given", at)
	}
}

func checkAffinity(path string, a *candor.Affinity, wrong *faults) {
	switch {
	case a.Nodes != "" && a.Instances != "":
		wrong.addf(0, path, "has nodes and instances: want one of the two; make it two affinities")
	case a.Nodes == "" && a.Instances == "":
		wrong.addf(0, path, "has neither nodes nor instances: want a selector in one of the two")
	case a.Instances != "" && a.Topology == "":
		wrong.addf(0, path, "has instances and no topology: want the label of nodes that says what is near, such as %s or %s", candor.LabelHost, candor.LabelZone)
	case a.Nodes != "" && a.Topology != "":
		wrong.addf(0, path+".topology", "is for instances: nodes are selected by themselves")
	}
	checkSelector(path+".nodes", a.Nodes, wrong)
	checkSelector(path+".instances", a.Instances, wrong)
}

// checkSelector takes what `get -l` takes; nothing is for the schema to judge.
func checkSelector(path, text string, wrong *faults) {
	if text == "" {
		return
	}
	if _, err := candor.ParseSelector(text); err != nil {
		wrong.addf(0, path, "%s", said(err))
	}
}

func checkProbe(path string, p *candor.Probe, wrong *faults) {
	var asked []string
	if len(p.Command) > 0 {
		asked = append(asked, "command")
	}
	if p.TCP != 0 {
		asked = append(asked, "tcp")
	}
	if p.HTTP != "" {
		asked = append(asked, "http")
	}
	switch len(asked) {
	case 0:
		wrong.addf(0, path, "asks nothing: want one of command, tcp and http")
	case 1:
	default:
		wrong.addf(0, path, "has %s: want one of command, tcp and http", strings.Join(asked, " and "))
	}
	checkCommand(path+".command", p.Command, wrong)
	if p.HTTP == "" {
		return
	}
	port, _, _ := strings.Cut(p.HTTP, "/")
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		wrong.addf(0, path+".http", "%s has no port from 1 to 65535: want one such as 8080/healthz", quoted(p.HTTP))
	}
}
