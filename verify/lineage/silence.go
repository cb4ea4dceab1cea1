package lineage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/history"
)

// Recording is what is known of the duties of one run.
type Recording struct {
	// Versions are what the cluster keeps of objects: those of tenures say what the eras
	// were, and the causes of all others under which era they were made.
	Versions []history.Versions
	Beliefs  []Belief
	Acts     []Act
}

// Check runs the checkers of eras, silence and beliefs, each of which must have checked
// least items to say PASS.
func (r *Recording) Check(least int) []history.Report {
	return []history.Report{r.eras(least), r.silent(least), r.disjoint(least)}
}

// Lineages are the versions of each duty's lineage, oldest first, that can be read.
func Lineages(versions []history.Versions) map[string][]tenure.Lineage {
	found := map[string][]tenure.Lineage{}
	for i := range versions {
		duty, ok := dutyOf(&versions[i])
		if !ok {
			continue
		}
		for j := range versions[i].Versions {
			v := &versions[i].Versions[j]
			if v.Object == nil {
				continue
			}
			if l, err := tenure.ReadStatus(v.Object.Status); err == nil {
				found[duty] = append(found[duty], l)
			}
		}
	}
	return found
}

// dutyOf is the duty whose object the versions are of.
func dutyOf(v *history.Versions) (string, bool) {
	rest, ok := strings.CutPrefix(v.Key, string(candor.KindTenures)+"/")
	if !ok {
		return "", false
	}
	_, name := candor.SplitKey(rest)
	duty, err := tenure.DutyOfObject(name)
	return duty.Name, err == nil
}

// eras audits the chain of every duty: primacy, inheritance and finality over the order
// of the root. Items are versions.
func (r *Recording) eras(least int) history.Report {
	report := history.Report{Property: "eras follow one another, each after the seal of the one before"}
	for i := range r.Versions {
		v := &r.Versions[i]
		duty, ok := dutyOf(v)
		if !ok {
			continue
		}
		found, err := Audit(duty, asRead(v))
		report.Checked += found.Versions
		switch {
		case err != nil:
			report.Break(func() string { return err.Error() }, nil, exhibits(v, 0)...)
		case found.Violation != nil:
			x := found.Violation
			report.Break(func() string { return fmt.Sprintf("%s of duty %s: era %d %s", x.Guarantee, duty, x.Era, x.Detail) }, nil, exhibits(v, x.Era)...)
		}
	}
	return report.Conclude(least)
}

// asRead is the history as a client reads it.
func asRead(v *history.Versions) *client.History {
	h := &client.History{Floor: v.Floor}
	for i := range slices.Backward(v.Versions) {
		one := &v.Versions[i]
		o := one.Object
		if o != nil {
			// The file's form of an object has no such field.
			copied := *o
			copied.Metadata.CreateRevision = one.Create
			o = &copied
		}
		h.Versions = append(h.Versions, client.Version{Revision: one.Revision, Deleted: one.Deleted, Object: o})
	}
	return h
}

// exhibits are the last two versions that show an era beside its neighbour; the last two
// of all for era 0.
func exhibits(v *history.Versions, era uint64) (shown []history.Exhibit) {
	for i := range slices.Backward(v.Versions) {
		one := &v.Versions[i]
		if one.Object == nil {
			continue
		}
		l, err := tenure.ReadStatus(one.Object.Status)
		if err != nil || era == 0 || slices.ContainsFunc(l.Eras(), func(x tenure.Era) bool { return x.Number == era }) {
			shown = append(shown, history.Exhibit{Record: "versions", Text: fmt.Sprintf("%s at revision %d: %s", v.Key, one.Revision, one.Object.Status)})
		}
		if len(shown) == 2 {
			break
		}
	}
	slices.Reverse(shown)
	return shown
}

// bounds are what is known of when an era was active, in revisions.
type bounds struct {
	holder string
	// granted is the first version that shows the era, where the one before does not;
	// 0 where it is compacted. sealed is the first that shows it ended; 0 for none.
	granted, sealed uint64
}

type eraOf struct {
	duty string
	era  uint64
}

func (r *Recording) bounds() map[eraOf]*bounds {
	known := map[eraOf]*bounds{}
	for i := range r.Versions {
		v := &r.Versions[i]
		duty, ok := dutyOf(v)
		if !ok {
			continue
		}
		for j := range v.Versions {
			one := &v.Versions[j]
			if one.Object == nil {
				continue
			}
			l, err := tenure.ReadStatus(one.Object.Status)
			if err != nil {
				continue // eras says so
			}
			for _, x := range l.Eras() {
				b := known[eraOf{duty, x.Number}]
				if b == nil {
					b = &bounds{holder: x.Holder}
					if j > 0 || one.Create == one.Revision {
						b.granted = one.Revision
					}
					known[eraOf{duty, x.Number}] = b
				}
				if x.State != tenure.StateActive && (b.sealed == 0 || one.Revision < b.sealed) {
					b.sealed = one.Revision
				}
			}
		}
	}
	return known
}

// silent checks that nothing was accepted under an era that was not active at that
// revision, or that was another's: acknowledged writes under a tenure, and the causes of
// all versions. The margin is by how many revisions the latest was before the seal.
func (r *Recording) silent(least int) history.Report {
	report := history.Report{Property: "nothing of a sealed era is accepted"}
	known := r.bounds()
	for i := range r.Acts {
		a := &r.Acts[i]
		b := known[eraOf{a.Duty, a.Era}]
		if b != nil && b.holder != a.Holder {
			report.Break(func() string {
				return fmt.Sprintf("%s wrote revision %d under era %d of %s, which is of %s", a.Holder, a.Revision, a.Era, a.Duty, b.holder)
			}, nil, a.exhibit())
		}
		judge(&report, b, a.Duty, a.Era, a.Revision, a.exhibit())
	}
	for i := range r.Versions {
		v := &r.Versions[i]
		_, root := dutyOf(v) // of these objects the root itself is the writer
		for j := range v.Versions {
			one := &v.Versions[j]
			if c := one.Cause; c != nil && c.Duty != "" && c.Era != 0 && !root {
				judge(&report, known[eraOf{c.Duty, c.Era}], c.Duty, c.Era, one.Revision, history.Exhibit{
					Record: "versions", Text: fmt.Sprintf("%s at revision %d, by %s under era %d of %s", v.Key, one.Revision, c.Actor, c.Era, c.Duty),
				})
			}
		}
	}
	return report.Conclude(least)
}

// judge holds one write against what is known of its era.
func judge(report *history.Report, b *bounds, duty string, era, revision uint64, told history.Exhibit) {
	if b == nil {
		report.Leave("writes under eras that no version of the tenure shows")
		return
	}
	report.Checked++
	if b.sealed != 0 {
		report.Near(int64(b.sealed)-int64(revision), "revisions")
	}
	switch {
	case b.sealed != 0 && revision > b.sealed:
		report.Break(func() string {
			return fmt.Sprintf("revision %d was made under era %d of %s, which was sealed by revision %d", revision, era, duty, b.sealed)
		}, nil, told, history.Exhibit{Record: "versions", Text: fmt.Sprintf("era %d of %s, held by %s, is over at revision %d", era, duty, b.holder, b.sealed)})
	case revision < b.granted:
		report.Break(func() string {
			return fmt.Sprintf("revision %d was made under era %d of %s, which began at revision %d", revision, era, duty, b.granted)
		}, nil, told, history.Exhibit{Record: "versions", Text: fmt.Sprintf("era %d of %s, held by %s, begins at revision %d", era, duty, b.holder, b.granted)})
	}
}

// disjoint checks that of a duty whose holders act on their own belief no two eras are
// believed in at once. The margin is the time between two beliefs.
func (r *Recording) disjoint(least int) history.Report {
	report := history.Report{Property: "one holder at a time believes that it holds a duty"}
	sorted := slices.Clone(r.Beliefs)
	slices.SortStableFunc(sorted, func(a, b Belief) int {
		return cmp.Or(strings.Compare(a.Duty, b.Duty), a.From.Compare(b.From))
	})
	var last *Belief // of those before, the one that ends last
	for i := range sorted {
		b := &sorted[i]
		if duty, err := tenure.DutyOf(b.Duty); err == nil && duty.Mandate == tenure.MandateFenced {
			report.Leave("beliefs in duties whose acts are fenced: a holder may not know that it lost one")
			continue
		}
		report.Checked++
		if last == nil || last.Duty != b.Duty {
			last = b
			continue
		}
		if last.Holder != b.Holder || last.Era != b.Era {
			if !last.To.IsZero() {
				report.Near(b.From.At-last.To.At, "ns")
			}
			if last.To.IsZero() || b.From.Before(last.To) {
				was := last
				report.Break(func() string {
					return fmt.Sprintf("%s believes in era %d of %s while %s believes in era %d", b.Holder, b.Era, b.Duty, was.Holder, was.Era)
				}, nil, was.exhibit(), b.exhibit())
			}
		}
		if !last.To.IsZero() && (b.To.IsZero() || last.To.Before(b.To)) {
			last = b
		}
	}
	return report.Conclude(least)
}

func (b *Belief) exhibit() history.Exhibit {
	until := "and went on"
	if !b.To.IsZero() {
		until = "until " + b.To.String()
	}
	return history.Exhibit{Record: "belief", At: b.From.At, Text: fmt.Sprintf("%s holds %s in era %d, %s", b.Holder, b.Duty, b.Era, until)}
}

func (a *Act) exhibit() history.Exhibit {
	return history.Exhibit{Record: "act", At: a.To.At, Text: fmt.Sprintf("%s wrote %s at revision %d, under era %d of %s", a.Holder, cmp.Or(a.Key, "something"), a.Revision, a.Era, a.Duty)}
}
