package servertest_test

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// rolesKind is a kind that rights treat in a way of its own.
type rolesKind struct {
	name                    candor.KindName
	apiVersion, word, space string
	// nameOf is the name of the cell's object; specs are what it is and becomes.
	nameOf      func(object string) string
	first, next func(object string) string
}

func same(object string) string { return object }

func always(spec string) func(string) string { return func(string) string { return spec } }

const tokenSpec = `{"actor":"eve","hash":"0000000000000000000000000000000000000000000000000000000000000000","expires":"2090-01-01T00:00:00Z"`

var rolesKinds = []rolesKind{
	{widgets, "example.com/v1", "Widget", "default", same, always(`{}`), always(`{"next":true}`)},
	{candor.KindRoles, candor.APIVersion, "Role", "", same, always(`{"rules":[]}`), always(`{"rules":[{"verbs":["*"],"kinds":["*"]}]}`)},
	{candor.KindRoleBindings, candor.APIVersion, "RoleBinding", "", same, always(`{"role":"viewer","subjects":["eve"]}`), always(`{"role":"admin","subjects":["eve"]}`)},
	{candor.KindTokens, candor.APIVersion, "Token", "", same, always(tokenSpec + `}`), always(tokenSpec + `,"description":"next"}`)},
	{
		candor.KindKinds, candor.APIVersion, "Kind", "", func(object string) string { return object + ".example.com" },
		func(object string) string { return kindSpec(object, "") },
		func(object string) string { return kindSpec(object, `,"shortNames":["`+object+`s"]`) },
	},
}

func kindSpec(object, more string) string {
	return fmt.Sprintf(`{"group":"example.com","version":"v1","scope":"Namespaced","names":{"kind":%q,"plural":%q%s}}`, strings.ToUpper(object), object, more)
}

const (
	nextStatus   = `{"phase":"Next"}`
	nextObserved = `{"seen":true}`
)

func (k *rolesKind) object(a *asking, spec func(string) string) *candorv1.Object {
	return convert.ObjectToProto(&candor.Object{
		APIVersion: k.apiVersion, Kind: k.word, Metadata: candor.Metadata{Namespace: k.space, Name: k.nameOf(a.object)}, Spec: []byte(spec(a.object)),
	})
}

// there makes the cell's object, and returns its name.
func (k *rolesKind) there(a *asking) string {
	a.t.Helper()
	_, err := a.root.Create(a.t.Context(), convert.ObjectFromProto(k.object(a, k.first)))
	noError(a.t, err)
	return k.nameOf(a.object)
}

// objectRows ask the object service for each kind, and its transactions for each
// of their operations.
func objectRows() map[string][]rolesRow {
	rows := map[string][]rolesRow{
		candorv1.ObjectService_Outcome_FullMethodName: oneRow(&candorv1.OutcomeRequest{RequestId: "of-nobody"}),
	}
	for i := range rolesKinds {
		k := &rolesKinds[i]
		ask := func(method string, effective bool, request func(a *asking) proto.Message) {
			rows[method] = append(rows[method], rolesRow{what: string(k.name), request: request, effective: effective})
		}
		kind := string(k.name)
		ask(candorv1.ObjectService_Get_FullMethodName, false, func(a *asking) proto.Message {
			return &candorv1.GetRequest{Kind: kind, Namespace: k.space, Name: k.there(a)}
		})
		ask(candorv1.ObjectService_List_FullMethodName, false, plain(&candorv1.ListRequest{Kind: kind, Namespace: k.space}))
		ask(candorv1.ObjectService_History_FullMethodName, false, func(a *asking) proto.Message {
			return &candorv1.HistoryRequest{Kind: kind, Namespace: k.space, Name: k.there(a)}
		})
		ask(candorv1.ObjectService_Watch_FullMethodName, false, plain(&candorv1.WatchRequest{Kind: kind, Namespace: k.space}))
		ask(candorv1.ObjectService_Create_FullMethodName, true, func(a *asking) proto.Message {
			return &candorv1.CreateRequest{Object: k.object(a, k.first)}
		})
		ask(candorv1.ObjectService_Update_FullMethodName, true, func(a *asking) proto.Message {
			k.there(a)
			return &candorv1.UpdateRequest{Object: k.object(a, k.next)}
		})
		ask(candorv1.ObjectService_Patch_FullMethodName, true, func(a *asking) proto.Message {
			return &candorv1.PatchRequest{Kind: kind, Namespace: k.space, Name: k.there(a), Type: candorv1.PatchType_PATCH_TYPE_MERGE, Patch: []byte(`{"spec":` + k.next(a.object) + `}`)}
		})
		ask(candorv1.ObjectService_UpdateStatus_FullMethodName, true, func(a *asking) proto.Message { return k.status(k.there(a)) })
		rows[candorv1.ObjectService_Observe_FullMethodName] = append(rows[candorv1.ObjectService_Observe_FullMethodName], k.observing())
		ask(candorv1.ObjectService_Delete_FullMethodName, true, func(a *asking) proto.Message { return k.deletion(k.there(a)) })
		rows[candorv1.ObjectService_Txn_FullMethodName] = append(rows[candorv1.ObjectService_Txn_FullMethodName], k.transactions()...)
	}
	for _, node := range []string{"w1", "w2"} {
		rows[candorv1.ObjectService_Observe_FullMethodName] = append(rows[candorv1.ObjectService_Observe_FullMethodName], rolesRow{
			what: "node " + node, request: plain(&candorv1.ObserveRequest{Kind: string(candor.KindNodes), Name: node, Observed: []byte(`{"capacity":{},"session":"s"}`)}),
		})
	}
	return rows
}

func (k *rolesKind) status(name string) *candorv1.UpdateStatusRequest {
	return &candorv1.UpdateStatusRequest{Kind: string(k.name), Namespace: k.space, Name: name, Status: []byte(nextStatus)}
}

func (k *rolesKind) observed(name string) *candorv1.ObserveRequest {
	return &candorv1.ObserveRequest{Kind: string(k.name), Namespace: k.space, Name: name, Observed: []byte(nextObserved)}
}

// observing: nothing of a built-in kind is observed, whoever says so.
func (k *rolesKind) observing() rolesRow {
	row := rolesRow{what: string(k.name), effective: true, request: func(a *asking) proto.Message { return k.observed(k.there(a)) }}
	if k.apiVersion == candor.APIVersion {
		row.what, row.effective = row.what+" (INVALID)", false
	}
	return row
}

func (k *rolesKind) deletion(name string) *candorv1.DeleteRequest {
	return &candorv1.DeleteRequest{Kind: string(k.name), Namespace: k.space, Name: name}
}

// transactions has a row for each operation and for what is only asked about.
func (k *rolesKind) transactions() []rolesRow {
	row := func(what string, effective bool, request func(a *asking) *candorv1.TxnRequest) rolesRow {
		return rolesRow{what: string(k.name) + ": " + what, effective: effective, request: func(a *asking) proto.Message { return request(a) }}
	}
	one := func(op *candorv1.TxnOperation) *candorv1.TxnRequest {
		return &candorv1.TxnRequest{Then: []*candorv1.TxnOperation{op}}
	}
	compare := row("whether it is there", false, func(a *asking) *candorv1.TxnRequest {
		return &candorv1.TxnRequest{Compares: []*candorv1.Compare{{Kind: string(k.name), Namespace: k.space, Name: k.there(a), Condition: &candorv1.Compare_Exists{Exists: true}}}}
	})
	get := row("get", false, func(a *asking) *candorv1.TxnRequest {
		return one(&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Get{Get: &candorv1.GetRequest{Kind: string(k.name), Namespace: k.space, Name: k.there(a)}}})
	})
	create := row("create", true, func(a *asking) *candorv1.TxnRequest {
		return one(&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Create{Create: k.object(a, k.first)}})
	})
	if k.name != widgets {
		return []rolesRow{compare, get, create}
	}
	return []rolesRow{
		compare, get, create,
		row("update", true, func(a *asking) *candorv1.TxnRequest {
			k.there(a)
			return one(&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Update{Update: k.object(a, k.next)}})
		}),
		row("update status", true, func(a *asking) *candorv1.TxnRequest {
			return one(&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_UpdateStatus{UpdateStatus: k.status(k.there(a))}})
		}),
		row("observe", true, func(a *asking) *candorv1.TxnRequest {
			return one(&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Observe{Observe: k.observed(k.there(a))}})
		}),
		row("delete", true, func(a *asking) *candorv1.TxnRequest {
			return one(&candorv1.TxnOperation{Operation: &candorv1.TxnOperation_Delete{Delete: k.deletion(k.there(a))}})
		}),
		row("update otherwise", true, func(a *asking) *candorv1.TxnRequest {
			k.there(a)
			return &candorv1.TxnRequest{
				Compares:  []*candorv1.Compare{{Condition: &candorv1.Compare_RootRevision{RootRevision: 1}}},
				Otherwise: []*candorv1.TxnOperation{{Operation: &candorv1.TxnOperation_Update{Update: k.object(a, k.next)}}},
			}
		}),
	}
}
