package tenure_test

import (
	"slices"
	"testing"

	"github.com/candor-plane/candor/fsm/tenure"
)

// Each guarantee must be seen to fail, or its silence says nothing.
func TestEachGuaranteeNamesWhatBreaksIt(t *testing.T) {
	s := begin(t, "ids")
	s.do(at(0), s.campaign(a, "a1"), tenure.Reserve{Era: 1, Holder: a, Bound: ids(9)})
	active := s.l
	s.do(at(3), s.campaign(b, "b1"), tenure.Reserve{Era: 2, Holder: b, Bound: ids(12)})
	taken := s.l
	s.do(at(6), s.campaign(c, "c1"))
	twice := s.l
	s.do(at(6), tenure.Seal{Era: 3, Holder: c, Usage: ids(12)})
	sealed := s.l
	s.l = twice
	s.do(at(6), s.l.Pending(c))
	confirmed := s.l
	s.do(at(6), s.l.Pending(c))
	closed := s.l

	for _, row := range []struct {
		what          string
		before, after tenure.Lineage
		edit          func(l *tenure.Lineage)
		breaks        string
	}{
		{"the predecessor stays active", active, taken, func(l *tenure.Lineage) { l.Unfinished[0].State = tenure.StateActive }, tenure.GuaranteePrimacy},
		{"an era is left out", active, twice, nil, tenure.GuaranteePrimacy},
		{"an era goes back", taken, active, nil, tenure.GuaranteePrimacy},
		{"another holder in the same era", taken, taken, func(l *tenure.Lineage) { l.Current.Holder = c }, tenure.GuaranteePrimacy},
		{"born sealed", active, taken, func(l *tenure.Lineage) { l.Current.State = tenure.StateSealed }, tenure.GuaranteePrimacy},

		{"starts at nothing", active, taken, func(l *tenure.Lineage) { l.Current.Start = ids(0) }, tenure.GuaranteeInheritance},
		{"cites nothing", active, taken, func(l *tenure.Lineage) { l.Current.Lineage = tenure.Digest{} }, tenure.GuaranteeInheritance},
		{"names no predecessor", active, taken, func(l *tenure.Lineage) { l.Current.Predecessor = 0 }, tenure.GuaranteeInheritance},
		{"the predecessor is forgotten", active, taken, func(l *tenure.Lineage) { l.Unfinished = nil }, tenure.GuaranteeInheritance},
		{"sealed for its holder below the bound", active, taken, func(l *tenure.Lineage) { l.Unfinished[0].Usage = ids(8) }, tenure.GuaranteeInheritance},
		{"sealed with a lower bound", active, taken, func(l *tenure.Lineage) { l.Unfinished[0].Usage, l.Unfinished[0].Bound = ids(8), ids(8) }, tenure.GuaranteeInheritance},
		{"bound lowered", taken, taken, func(l *tenure.Lineage) { l.Current.Bound = ids(10) }, tenure.GuaranteeInheritance},
		{"bound below the start", active, taken, func(l *tenure.Lineage) { l.Current.Bound = ids(0) }, tenure.GuaranteeInheritance},

		{"unsealed", twice, twice, func(l *tenure.Lineage) { l.Unfinished[1].State = tenure.StateActive }, tenure.GuaranteePrimacy},
		{"confirmed and then not", confirmed, twice, nil, tenure.GuaranteeFinality},
		{"the younger is confirmed first", twice, twice, func(l *tenure.Lineage) { l.Unfinished[1].State = tenure.StateConfirmed }, tenure.GuaranteeFinality},
		{"closed and then not", closed, confirmed, nil, tenure.GuaranteeFinality},
		{"forgotten before it is closed", twice, twice, func(l *tenure.Lineage) { l.Unfinished = l.Unfinished[1:] }, tenure.GuaranteeFinality},
		{"sealed again", twice, twice, func(l *tenure.Lineage) { l.Unfinished[0].Seal[0]++ }, tenure.GuaranteeFinality},
		{"closed with an unfinished before it", sealed, sealed, func(l *tenure.Lineage) { l.Current.State = tenure.StateClosed }, tenure.GuaranteeFinality},
		{"all as it was", active, taken, nil, ""},
		{"confirmed", twice, confirmed, nil, ""},
		{"closed", confirmed, closed, nil, ""},
	} {
		row.after.Unfinished = slices.Clone(row.after.Unfinished)
		if row.edit != nil {
			row.edit(&row.after)
		}
		got := ""
		v := tenure.Check(row.before, row.after)
		if v != nil {
			got = v.Guarantee
		}
		if got != row.breaks {
			t.Errorf("%s: want a breach of %q, got %v", row.what, row.breaks, v)
		}
	}

	if v := tenure.Silence(taken, 2); v != nil {
		t.Errorf("the active era may write: %v", v)
	}
	if tenure.Silence(taken, 1) == nil || tenure.Silence(taken, 3) == nil {
		t.Error("only the active era may write")
	}
}
