package servertest_test

import (
	"google.golang.org/protobuf/proto"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// tenureRows ask the services of tenures and of numbers.
func tenureRows() map[string][]rolesRow {
	return map[string][]rolesRow{
		candorv1.TenureService_Tenures_FullMethodName:              oneRow(&candorv1.TenuresRequest{}),
		candorv1.TransitionService_Transitions_FullMethodName:      oneRow(&candorv1.TransitionsRequest{Pending: true}),
		candorv1.TransitionService_CancelTransition_FullMethodName: oneRow(&candorv1.CancelTransitionRequest{Id: "nothing"}),
		candorv1.TenureService_TransferTenure_FullMethodName: {{request: func(a *asking) proto.Message {
			return &candorv1.TransferTenureRequest{Duty: "system-nothing", Server: a.other()}
		}}},
		candorv1.TenureService_ChangeTenure_FullMethodName:   oneRow(&candorv1.ChangeTenureRequest{Duty: "nothing"}),
		candorv1.AllocService_AllocIDs_FullMethodName:        oneRow(&candorv1.AllocIDsRequest{Count: 1}),
		candorv1.AllocService_AllocTimestamps_FullMethodName: oneRow(&candorv1.AllocTimestampsRequest{Count: 1}),
	}
}
