package convert_test

import (
	"encoding/json"
	"time"

	"pgregory.net/rapid"

	"github.com/candor-plane/candor"
)

func genToken(t *rapid.T) candor.Token {
	return candor.Token{
		Term: rapid.Uint64().Draw(t, "term"), Index: rapid.Uint64().Draw(t, "index"), Revision: rapid.Uint64().Draw(t, "revision"),
	}
}

func genTime(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, label+"Absent") {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, label), rapid.Int64Range(0, 999_999_999).Draw(t, label+"Nanos")).UTC()
}

func genPart(t *rapid.T, label string) json.RawMessage {
	b := rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, label)
	if len(b) == 0 {
		return nil
	}
	return b
}

func genMap(t *rapid.T, label string) map[string]string {
	m := rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, label)
	if len(m) == 0 {
		return nil
	}
	return m
}

func genStrings(t *rapid.T, label string) []string {
	s := rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, label)
	if len(s) == 0 {
		return nil
	}
	return s
}

func genObject(t *rapid.T) *candor.Object {
	text := func(label string) string { return rapid.String().Draw(t, label) }
	number := func(label string) uint64 { return rapid.Uint64().Draw(t, label) }
	o := &candor.Object{
		APIVersion: text("apiVersion"), Kind: text("kind"),
		Metadata: candor.Metadata{
			Name: text("name"), Namespace: text("namespace"), UID: text("uid"), Generation: number("generation"),
			ResourceVersion: number("resourceVersion"), CreateRevision: number("createRevision"),
			CreationTime: genTime(t, "creation"), DeletionTime: genTime(t, "deletion"),
			Labels: genMap(t, "labels"), Annotations: genMap(t, "annotations"), Finalizers: genStrings(t, "finalizers"),
		},
		Spec: genPart(t, "spec"), Status: genPart(t, "status"), Observed: genPart(t, "observed"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "owners") {
		o.Metadata.Owners = append(o.Metadata.Owners, candor.OwnerReference{
			Kind: candor.KindName(text("ownerKind")), Name: text("ownerName"), UID: text("ownerUID"),
			Controller: rapid.Bool().Draw(t, "controller"), BlockOwnerDeletion: rapid.Bool().Draw(t, "block"),
		})
	}
	if rapid.Bool().Draw(t, "hasCause") {
		o.Cause = genCause(t)
	}
	return o
}

func genCause(t *rapid.T) *candor.Cause {
	text := func(label string) string { return rapid.String().Draw(t, label) }
	c := &candor.Cause{
		Actor: text("actor"), Duty: text("duty"), Era: rapid.Uint64().Draw(t, "era"), ReadToken: genToken(t),
		PriorRevision: rapid.Uint64().Draw(t, "prior"), Reason: text("reason"), Message: text("message"),
	}
	if rapid.Bool().Draw(t, "hasBecause") {
		c.Because = &candor.VersionRef{
			Ref:      candor.Ref{Kind: candor.KindName(text("k")), Namespace: text("ns"), Name: text("n")},
			Revision: rapid.Uint64().Draw(t, "becauseRevision"),
		}
	}
	return c
}

func genLeader(t *rapid.T) *candor.LeaderHint {
	if rapid.Bool().Draw(t, "noLeader") {
		return nil
	}
	return &candor.LeaderHint{
		ServerID: rapid.StringN(1, 8, -1).Draw(t, "leaderID"), Name: rapid.String().Draw(t, "leaderName"),
		Address: rapid.String().Draw(t, "leaderAddress"), Term: rapid.Uint64().Draw(t, "leaderTerm"),
	}
}

func genWitness(t *rapid.T) *candor.Witness {
	text := func(label string) string { return rapid.String().Draw(t, label) }
	w := &candor.Witness{
		NodeID: text("nodeID"), NodeName: text("nodeName"), BootID: text("bootID"), ClusterID: text("clusterID"),
		HistoryID: text("historyID"), ServedToken: genToken(t),
		Requested:      rapid.SampledFrom([]candor.Freshness{"", candor.FreshnessStrong, candor.FreshnessBestEffort}).Draw(t, "requested"),
		Served:         rapid.SampledFrom([]candor.Freshness{"", candor.FreshnessBounded}).Draw(t, "served"),
		Class:          rapid.SampledFrom([]candor.ServingClass{"", candor.ServingDegraded}).Draw(t, "class"),
		ServedByLeader: rapid.Bool().Draw(t, "byLeader"),
		Mechanism:      rapid.SampledFrom([]candor.Mechanism{"", candor.MechanismView}).Draw(t, "mechanism"),
		CatchUp:        rapid.SampledFrom([]candor.CatchUpState{"", candor.CatchUpLagging}).Draw(t, "catchUp"),
		CatchUpAction:  rapid.SampledFrom([]candor.CatchUpAction{"", candor.CatchUpReload}).Draw(t, "action"),
		Mode:           rapid.SampledFrom([]candor.DegradedMode{"", candor.ModeViewOnly}).Draw(t, "mode"),
		DegradedReason: text("why"), SyncHealth: text("sync"), Leader: genLeader(t),
		ClusterTime: rapid.Int64().Draw(t, "clusterTime"), ViewUpdatedAt: genTime(t, "view"), Era: rapid.Uint64().Draw(t, "era"),
	}
	if rapid.Bool().Draw(t, "hasLag") {
		lag := rapid.Uint64().Draw(t, "lag")
		w.RootLag = &lag
	}
	if rapid.Bool().Draw(t, "hasBound") {
		bound := time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "bound"))
		w.StalenessBound = &bound
	}
	if rapid.Bool().Draw(t, "hasCurrent") {
		token := genToken(t)
		w.CurrentToken = &token
	}
	return w
}
