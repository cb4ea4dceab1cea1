package explain

import (
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
)

// mostWritten is how many versions of a request are named.
const mostWritten = 8

// request explains what became of a write of the actor's, and why.
func (e *Explainer) request(view *fsm.View, q Question) (*candor.Explanation, error) {
	id := q.Subject.Name
	if id == "" || len(id) > candor.MaxRequestIDBytes {
		return nil, candor.Errorf(candor.ReasonInvalid, "a request ID has 1 to %d bytes, not %d", candor.MaxRequestIDBytes, len(id))
	}
	s := &story{view: view, question: q, world: e.world}
	x := &candor.Explanation{Subject: candor.VersionRef{Ref: candor.Ref{Kind: candor.SubjectRequests, Name: id}, Revision: view.Token().Revision}}
	name := "request/" + id
	if r, ok := e.requests.Remembered(q.Actor, id); ok {
		s.accepted(x, name, &r)
		return x, nil
	}
	outcome, reason, _ := e.requests.Find(q.Actor, id)
	switch outcome {
	case candor.OutcomeRejected:
		x.Headline = name + " was refused before the log: " + string(reason)
		x.Facts = append(x.Facts, "what came to this server was not done", advice(reason))
	case candor.OutcomeFailed:
		x.Headline = name + " was refused in its turn: " + string(reason)
		x.Facts = append(x.Facts, "the state had it come to that turn; nothing of it was done", advice(reason))
	case candor.OutcomeQueued:
		x.Headline = name + " waits on this server and is not done yet"
		x.Next = "when the log takes it: ask again"
	case candor.OutcomeProposed, candor.OutcomeCommitted:
		x.Headline = name + " is on its way through the log, and may be done"
		x.Next = "when its entry is applied: ask again"
	default:
		x.Headline = "nothing is known of " + name + " here"
		x.Facts = append(x.Facts,
			"the root has not accepted it of "+q.Actor+", or its time to be remembered is over",
			"this server did not take it, or has forgotten: how far a refused one came only the server knows that took it")
		x.Next = "ask another server with --server and --read=best-effort, as the same actor"
	}
	return x, nil
}

func (s *story) accepted(x *candor.Explanation, name string, r *fsm.Remembered) {
	x.Subject.Revision = r.Token.Revision
	x.Headline = name + " was accepted at " + r.Token.String()
	switch {
	case !r.Changed:
		x.Headline += " and changed nothing: all was as it asked for"
	case !r.Succeeded:
		x.Headline += "; its compares did not hold, and it did what it asked for otherwise"
	}
	x.Facts = append(x.Facts, "it is remembered for "+span(time.Duration(r.NotAfter-s.world.ClusterTime()))+" more: sent again until then, it is answered and not done twice")
	if !r.Changed {
		return
	}
	first := s.view.Turn(r.Token.Revision)
	if first == nil {
		x.Facts = append(x.Facts, "what it wrote is compacted (the floor is "+number(s.view.Floor())+")")
		return
	}
	written := 0
	for v := first; v != nil; v = v.Sibling() {
		written++
		if written > mostWritten {
			continue
		}
		ref := candor.Ref{Kind: s.view.KindName(v.Kind)}
		ref.Namespace, ref.Name = candor.SplitKey(v.Key)
		if s.question.MayRead(ref) != nil {
			x.Facts = append(x.Facts, "it wrote an object that is not yours to read")
			continue
		}
		o, err := v.Object()
		if err != nil {
			continue
		}
		at := s.step(ref, v, o)
		x.Facts = append(x.Facts, "it wrote "+s.text(&at))
	}
	if written > mostWritten {
		x.Facts = append(x.Facts, "and "+counted(written-mostWritten, "version")+" more")
	}
}

// advice is what may be done about a refusal.
func advice(reason candor.Reason) string {
	if !reason.Known() {
		return "this build does not know the reason: it is of a newer one"
	}
	switch reason.Disposition().Retry {
	case candor.RetrySameNode, candor.RetryOtherNode, candor.RetryLater, candor.RetryLeader:
		return "the same request may be sent again: " + string(reason.Disposition().Retry)
	case candor.RetryWaitForToken, candor.RetryAcceptStale:
		return "it may be asked for less: " + string(reason.Disposition().Retry)
	case candor.RetryOutcomeUnknown:
		return "it may have been done: ask for its outcome"
	default:
		return "sent again as it is it will be refused again: read, and decide again"
	}
}
