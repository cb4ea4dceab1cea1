package grpcapi

import (
	"github.com/candor-plane/candor/fsm/policy"
)

// rejudge is nil while whoever began the stream may watch what it shows. It waits
// for the next change of what rights come from.
func (w *watch) rejudge() error {
	_, w.rights = w.service.changes.Rights()
	return w.allowed()
}

func (w *watch) allowed() error {
	return mayRead(w.stream.Context(), w.service.machine.View(), policy.Watch, w.in.GetKind(), w.in.GetNamespace(), w.in.GetName())
}
