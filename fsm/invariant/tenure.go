package invariant

import "github.com/candor-plane/candor/fsm/tenure"

// TenureChange is a duty's lineage before and after the turn.
type TenureChange struct{ Before, After tenure.Lineage }

// Fence is what a command was fenced by, and the duty's lineage before the turn.
type Fence struct {
	Lineage tenure.Lineage
	Era     uint64
}

func oneActiveTenurePerDuty(t *Turn) *Violation {
	return overTenures(t, "OneActiveTenurePerDuty", tenure.Primacy)
}

func frontierCovered(t *Turn) *Violation {
	return overTenures(t, "FrontierCovered", tenure.Inheritance)
}

func handoverEnds(t *Turn) *Violation { return overTenures(t, "HandoverEnds", tenure.Finality) }

func sealedIsSilent(t *Turn) *Violation {
	if t.Fence == nil {
		return nil
	}
	return asViolation("SealedIsSilent", tenure.Silence(t.Fence.Lineage, t.Fence.Era))
}

func overTenures(t *Turn, name string, guarantee func(before, after tenure.Lineage) *tenure.Violation) *Violation {
	for i := range t.Tenures {
		if v := asViolation(name, guarantee(t.Tenures[i].Before, t.Tenures[i].After)); v != nil {
			return v
		}
	}
	return nil
}

func asViolation(name string, v *tenure.Violation) *Violation {
	if v == nil {
		return nil
	}
	return &Violation{Invariant: name, Subject: "tenures.candor/" + v.Duty, Detail: v.String()}
}
