package lineage

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
)

// Violation is a guarantee that the history does not keep.
type Violation struct {
	// Guarantee is primacy, inheritance or finality.
	Guarantee string `json:"guarantee"`
	Era       uint64 `json:"era"`
	Detail    string `json:"detail"`
}

// Report is what an audit of one duty found.
type Report struct {
	Duty string `json:"duty"`
	// Versions of the object were checked, from revision From to To.
	Versions int    `json:"versions"`
	From     uint64 `json:"from,omitempty"`
	To       uint64 `json:"to,omitempty"`
	// First and Last are the oldest and the newest era that they show. Eras before First
	// are not covered, nor is what First went through before From.
	First uint64 `json:"firstEra,omitempty"`
	Last  uint64 `json:"lastEra,omitempty"`
	// Whole: the versions begin with the object's first one, so that nothing is left out.
	Whole     bool       `json:"whole"`
	Violation *Violation `json:"violation,omitempty"`
}

// Ref is the object of a duty; INVALID for a name that no duty has.
func Ref(duty string) (candor.Ref, error) {
	d, err := tenure.DutyOf(duty)
	if err != nil {
		return candor.Ref{}, err
	}
	return candor.Ref{Kind: candor.KindTenures, Name: d.ObjectName()}, nil
}

// Audit checks the history of a duty's object, newest version first as it is read. The
// error has the reason DATA_CORRUPT when a version is not a tenure of the duty.
func Audit(duty string, history *client.History) (Report, error) {
	report := Report{Duty: duty, Versions: len(history.Versions)}
	versions := make([]tenure.Lineage, 0, len(history.Versions))
	for i := len(history.Versions) - 1; i >= 0; i-- {
		v := &history.Versions[i]
		l, err := read(duty, v)
		if err != nil {
			return report, err
		}
		versions = append(versions, l)
		if report.From == 0 {
			report.From, report.First = v.Revision, eldest(l)
			report.Whole = v.Object.Metadata.CreateRevision == v.Revision
		}
		report.To, report.Last = v.Revision, l.Current.Number
	}
	if x := tenure.Audit(versions); x != nil {
		report.Violation = &Violation{Guarantee: x.Guarantee, Era: x.Era, Detail: x.Detail}
	}
	return report, nil
}

func read(duty string, v *client.Version) (tenure.Lineage, error) {
	if v.Deleted || v.Object == nil {
		return tenure.Lineage{}, corrupt(duty, v.Revision, "it was deleted, and tenures never are")
	}
	l, err := tenure.ReadStatus(v.Object.Status)
	switch {
	case err != nil:
		return l, corrupt(duty, v.Revision, err.Message)
	case l.Duty.Name != duty:
		return l, corrupt(duty, v.Revision, "it is of duty "+l.Duty.Name)
	}
	return l, nil
}

func corrupt(duty string, revision uint64, why string) error {
	return &candor.Error{
		Reason: candor.ReasonDataCorrupt, Subject: duty, Revision: revision,
		Message: fmt.Sprintf("the tenure of duty %s at revision %d: %s", duty, revision, why),
	}
}

// eldest is the number of the oldest era that is shown; 0 for none.
func eldest(l tenure.Lineage) uint64 {
	if eras := l.Eras(); len(eras) > 0 {
		return eras[0].Number
	}
	return 0
}
