package tenure

import (
	"github.com/candor-plane/candor"
)

// Renew keeps an active era from expiring, for its Duration from the turn on. One
// that comes after expiry and before anybody's campaign counts.
type Renew struct {
	Era    uint64
	Holder string
}

func (e Renew) apply(l Lineage, now Now) (Lineage, *candor.Error) {
	if err := l.acts(e.Era, e.Holder); err != nil {
		return l, err
	}
	l.Current.RenewedUntil = max(l.Current.RenewedUntil, later(now.ClusterTime, l.Current.Duration))
	l.Current.RenewedTerm = max(l.Current.RenewedTerm, now.Term)
	return l, nil
}

// Reserve raises what the active era may use, before any of it is used. It never
// lowers.
type Reserve struct {
	Era    uint64
	Holder string
	Bound  Frontiers
}

func (e Reserve) apply(l Lineage, now Now) (Lineage, *candor.Error) {
	if err := l.acts(e.Era, e.Holder); err != nil {
		return l, err
	}
	bound := l.Current.Bound.Max(e.Bound)
	if err := l.reachable(bound, l.Current.Bound, now); err != nil {
		return l, err
	}
	l.Current.Bound = bound
	return l, nil
}
