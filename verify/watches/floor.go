package watches

import (
	"fmt"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/verify/history"
)

// refused checks that a watch whose start lies below the floor gets an explicit error
// and no events: a server that says that it has come as far as the compaction must not
// serve it.
func (r *Recording) refused(least int) history.Report {
	report := history.Report{Property: "a watch from below the floor is refused"}
	for i := range r.Streams {
		s := &r.Streams[i]
		if s.After == 0 {
			continue
		}
		if len(s.Batches) == 0 {
			if s.End != nil && s.End.Reason == candor.ReasonCompacted {
				report.Checked++
			}
			continue
		}
		r.served(&report, s)
	}
	return report.Conclude(least)
}

// served judges a watch that was served by what its first answer says of its server.
func (r *Recording) served(report *history.Report, s *Stream) {
	first := &s.Batches[0]
	for i := range r.Floors {
		f := &r.Floors[i]
		switch {
		case s.After >= f.Revision:
		case first.Token.Index == 0:
			report.Leave("watches from below a floor whose server told no position")
		case first.Token.Index < f.Token.Index:
			report.Leave("watches from below a floor that their server had not come to")
		default:
			report.Checked++
			report.Break(func() string {
				return fmt.Sprintf("watch %s begins after revision %d, and the floor is %d: a server at %s serves it", s.Stream, s.After, f.Revision, first.Token)
			}, nil, f.exhibit(), s.exhibit(), first.exhibit())
			return
		}
	}
}

func (f *Floor) exhibit() history.Exhibit {
	return history.Exhibit{Record: "floor", At: f.At, Text: fmt.Sprintf("everything below revision %d was compacted; %s is after it", f.Revision, f.Token)}
}
