package grpcapi

import (
	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/policy"
)

// rejudge is nil while whoever began the stream may watch what it shows. It waits
// for the next change of what rights come from.
func (w *watch) rejudge() error {
	for i, kind := range []candor.KindName{candor.KindRoles, candor.KindRoleBindings, candor.KindTokens} {
		_, w.access[i] = w.service.changes.Changed(kind)
	}
	return w.allowed()
}

func (w *watch) allowed() error {
	return mayRead(w.stream.Context(), w.service.machine.View(), policy.Watch, w.in.GetKind(), w.in.GetNamespace(), w.in.GetName())
}
