package replica

import "github.com/candor-plane/candor"

// outcomesTold bounds the list of the newest outcomes.
const outcomesTold = 32

// Ended is one request whose outcome this server knows.
type Ended struct {
	Actor, RequestID string
	Became
}

// Newest lists the requests whose outcome this server learnt last, newest first.
// It is the memory of this server since its start: what it forgot the root may
// know.
func (o *Outcomes) Newest() []Ended {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []Ended
	for n := o.last.count; n > 0 && n+outcomesTold > o.last.count; n-- {
		list = append(list, *o.last.at(n))
	}
	return list
}

// lastOutcomes are the newest, numbered from 1. It belongs to its Outcomes.
type lastOutcomes struct {
	ring  [outcomesTold]Ended
	count uint64
}

func (l *lastOutcomes) at(number uint64) *Ended { return &l.ring[number%outcomesTold] }

// tell adds what became of a request, or corrects what was told of it: done
// stays done, as it does in the root.
func (l *lastOutcomes) tell(r *request, became Became) {
	if became.Outcome == "" {
		return
	}
	if r.told > 0 && r.told+outcomesTold > l.count {
		if was := l.at(r.told); was.Outcome != candor.OutcomeApplied {
			was.Became = became
		}
		return
	}
	l.count++
	r.told = l.count
	*l.at(r.told) = Ended{Actor: r.name.actor, RequestID: r.name.id, Became: became}
}
