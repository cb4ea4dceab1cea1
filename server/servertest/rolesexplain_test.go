package servertest_test

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// explainRows ask why. Nothing that is asked for changes anything.
func explainRows() map[string][]rolesRow {
	namespace := &candorv1.WhyRequest{Kind: string(candor.KindNamespaces), Name: "default"}
	plan := &candorv1.PlanRequest{Objects: []*candorv1.Object{{ApiVersion: candor.APIVersion, Kind: "Namespace", Metadata: &candorv1.Metadata{Name: "planned"}}}}
	return map[string][]rolesRow{
		candorv1.ExplainService_Why_FullMethodName: {
			{what: "a namespace", request: plain(namespace)},
			{what: "a token", request: plain(&candorv1.WhyRequest{Kind: string(candor.KindTokens), Name: "nothing"})},
			{what: "a member", request: plain(&candorv1.WhyRequest{Kind: string(candor.SubjectMembers), Name: "n2"})},
			{what: "a request of its own", request: plain(&candorv1.WhyRequest{Kind: string(candor.SubjectRequests), Name: "nothing"})},
		},
		candorv1.ExplainService_WhyNot_FullMethodName:         oneRow(&candorv1.WhyNotRequest{Kind: string(candor.KindInstances), Namespace: "default", Name: "nothing", Node: "w1"}),
		candorv1.ExplainService_GetDecision_FullMethodName:    oneRow(&candorv1.GetDecisionRequest{Namespace: "default", Instance: "nothing"}),
		candorv1.ExplainService_ReplayDecision_FullMethodName: oneRow(&candorv1.ReplayDecisionRequest{Namespace: "default", Instance: "nothing"}),
		candorv1.ExplainService_Plan_FullMethodName:           oneRow(plan),
		candorv1.ExplainService_Graph_FullMethodName:          oneRow(&candorv1.GraphRequest{}),
		candorv1.ExplainService_Reconciles_FullMethodName:     oneRow(&candorv1.ReconcilesRequest{Kind: string(candor.KindNamespaces), Name: "default"}),
	}
}
