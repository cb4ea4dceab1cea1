package kinds

import (
	"encoding/json"
	"strings"

	"github.com/candor-plane/candor"
)

const (
	// maxNodeName is what fits into the label that says where an instance is.
	maxNodeName = 63
	// maxWorkloadName leaves room for the number of an instance, -999999, in as much.
	maxWorkloadName = maxNodeName - len("-999999")
)

func workloadMeans(name string, spec []byte, wrong *faults) error {
	if n := len(name); n > maxWorkloadName {
		wrong.addf(0, "metadata.name", "%s has %d bytes; of a workload at most %d are allowed: its instances are called NAME-N, in %d",
			quoted(name), n, maxWorkloadName, maxNodeName)
	}
	var w struct {
		Replicas int32                 `json:"replicas"`
		Template quantified            `json:"template"`
		Update   candor.UpdateStrategy `json:"update"`
	}
	if err := json.Unmarshal(spec, &w); err != nil {
		return err
	}
	w.Template.check("spec.template", wrong)
	u := &w.Update
	if isNone(u.MaxUnavailable) && isNone(u.MaxSurge) {
		wrong.addf(0, "spec.update", "maxUnavailable and maxSurge are both 0: no instance could ever be replaced; want one above 0")
	}
	if u.DeadlineSeconds > 0 && u.MinReadySeconds >= u.DeadlineSeconds {
		wrong.addf(0, "spec.update.minReadySeconds", "%d is not below deadlineSeconds, %d: every rollout would stall before an instance counts as available",
			u.MinReadySeconds, u.DeadlineSeconds)
	}
	return nil
}

// isNone says that a share is there, and none of anything.
func isNone(s *candor.Share) bool { return s != nil && s.Count == 0 }

func budgetMeans(_ string, spec []byte, wrong *faults) error {
	var b candor.DisruptionBudgetSpec
	if err := json.Unmarshal(spec, &b); err != nil {
		return err
	}
	switch {
	case b.MinAvailable != nil && b.MaxUnavailable != nil:
		wrong.addf(0, "spec", "has minAvailable and maxUnavailable: want one of the two")
	case b.MinAvailable == nil && b.MaxUnavailable == nil:
		wrong.addf(0, "spec", "has neither minAvailable nor maxUnavailable: want one of the two")
	}
	if strings.TrimSpace(b.Instances) == "" && b.Instances != "" {
		wrong.addf(0, "spec.instances", "is blank, and would select every instance: want a selector, such as app=web")
		return nil
	}
	checkSelector("spec.instances", b.Instances, wrong)
	return nil
}

func classMeans(_ string, spec []byte, _ *faults) error {
	var c candor.PriorityClassSpec
	return json.Unmarshal(spec, &c)
}
