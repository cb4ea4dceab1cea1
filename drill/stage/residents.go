package stage

import (
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
)

// The residents are the drill's own instances. A fault leaves a mark, a file of an
// instance's UID, whose content is the fault's number: while it is there the instance's
// probe fails, and leaves a trace of that, UID.NUMBER. A process that begins removes the
// mark of its instance: what was wrong was wrong with the process before.
const (
	residentBegins = `rm -f "$0/$CANDOR_INSTANCE_UID"; exec sleep 86400`
	residentProbe  = `if { read -r n < "$0/$CANDOR_INSTANCE_UID"; } 2>/dev/null; then : > "$0/$CANDOR_INSTANCE_UID.$n"; echo "fault $n of the drill" >&2; exit 1; fi`
)

// marks is the folder of the marks.
func (s *Stage) marks() string { return filepath.Join(s.data.Path, marksFolder) }

// residents is the drill's own workload. What it runs carries the mark of this drill, by
// which doctor finds it. A probe may take long on a busy machine, and is no failure then.
func (s *Stage) residents() (*candor.Object, error) {
	grace := int32(1)
	variable, mark, _ := strings.Cut(s.data.Mark.Environment(), "=")
	spec, err := json.Marshal(candor.WorkloadSpec{
		Replicas: int32(s.options.Scenario.Cluster.Residents()),
		Template: candor.InstanceTemplate{
			Labels:       map[string]string{fleetLabel: "true"},
			Command:      []string{"sh", "-c", residentBegins, s.marks()},
			Env:          map[string]string{variable: mark},
			NodeSelector: map[string]string{fleetLabel: "true"},
			Tolerations:  []candor.Toleration{{Key: fleetLabel, Value: "true"}},
			GraceSeconds: &grace,
			Health: &candor.Probe{
				Command: []string{"sh", "-c", residentProbe, s.marks()}, PeriodSeconds: 1, TimeoutSeconds: 30, FailureThreshold: 1,
			},
		},
	})
	return &candor.Object{
		APIVersion: candor.APIVersion, Kind: "Workload", Spec: spec,
		Metadata: candor.Metadata{Namespace: drill.ResidentsNamespace, Name: drill.ResidentsName},
	}, candor.Wrap("the drill's own workload", err)
}

// residentOf reads an instance; false for one that is not well.
func residentOf(o *candor.Object) (resident, bool) {
	var status candor.InstanceStatus
	var observed candor.InstanceObserved
	if json.Unmarshal(o.Status, &status) != nil || json.Unmarshal(o.Observed, &observed) != nil {
		return resident{}, false
	}
	well := !o.Terminating() && !status.Phase.Ended() && status.Conditions.True(candor.ConditionReady) &&
		observed.State == candor.ProcessRunning && observed.Ready && observed.PID > 0
	return resident{name: o.Metadata.Name, uid: o.Metadata.UID, pid: observed.PID}, well
}
