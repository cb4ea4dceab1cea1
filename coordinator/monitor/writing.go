package monitor

import (
	"context"
	"encoding/json"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/kinds"
	"github.com/candor-plane/candor/informer"
)

// The reasons of writes.
const (
	ReasonBroken    = "PROMISE_BROKEN"
	ReasonKept      = "PROMISE_KEPT"
	ReasonRetention = "RETENTION"
)

// write makes steps, each by itself; what fails is planned again by the next look. The
// error says that the right to write has ended.
func (m *Monitor) write(ctx context.Context, reader *informer.Reader, steps []Step) error {
	for i := range steps[:min(len(steps), mostSteps)] {
		for _, w := range writesOf(&steps[i], reader) {
			_, err := m.config.Writer.Write(ctx, w)
			switch candor.ReasonOf(err) {
			case "":
				continue
			case candor.ReasonEraStale, candor.ReasonForbidden:
				return err
			case candor.ReasonCanceled, candor.ReasonConflict, candor.ReasonAlreadyExists, candor.ReasonNotFound:
			default:
				m.config.Logger.Warn("a finding was not written, it is tried again", "finding", steps[i].Name, "error", err)
			}
			m.count(func(s *Stats) { s.Failed++ })
			break
		}
	}
	return nil
}

// writesOf makes a step: an object and its status take two writes.
func writesOf(s *Step, reader *informer.Reader) []controller.Write {
	ref := candor.Ref{Kind: candor.KindFindings, Name: s.Name}
	w := controller.Write{Reason: ReasonBroken, Message: s.Status.Promise + " of " + s.Status.Subject.String() + ": " + s.Status.Message, Read: reader.Token()}
	if item := reader.Get(s.Status.Subject); item != nil {
		because := item.Version()
		w.Because = &because
	}
	status := controller.UpdateStatus{Ref: ref, UID: s.Stored.UID, ResourceVersion: s.Stored.ResourceVersion, Status: kinds.Encode(&s.Status)}
	switch s.Verb {
	case Open:
		create := w
		create.Ops = []controller.Op{controller.Create{Kind: candor.KindFindings, Object: &candor.Object{
			APIVersion: candor.APIVersion, Kind: "Finding", Metadata: candor.Metadata{Name: s.Name}, Spec: json.RawMessage(`{}`),
		}}}
		w.Ops = []controller.Op{status}
		return []controller.Write{create, w}
	case Remove:
		w.Ops = []controller.Op{controller.Delete{Ref: ref, UID: s.Stored.UID, ResourceVersion: s.Stored.ResourceVersion}}
		w.Reason, w.Message, w.Because = ReasonRetention, "it has not been open for "+Retention.String(), nil
	default:
		w.Ops = []controller.Op{status}
		if !s.Status.Open {
			w.Reason, w.Message = ReasonKept, s.Status.Promise+" of "+s.Status.Subject.String()+" holds again"
		}
	}
	return []controller.Write{w}
}
