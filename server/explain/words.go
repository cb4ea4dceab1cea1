package explain

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/mvcc"
	"github.com/candor-plane/candor/fsm/tenure"
)

func number[N uint64 | int64 | int | int32](n N) string {
	if n < 0 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatUint(uint64(n), 10)
}

// counted is "1 node", "2 nodes".
func counted(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + one + "s"
}

// said is an error's message without its reason's word, and the word behind it.
func said(err error) string {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e.Message + " (" + string(e.Reason) + ")"
	}
	return err.Error()
}

// span is a duration for people.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// ago is how long a cluster time is past.
func (s *story) ago(at int64) string {
	return span(time.Duration(s.world.ClusterTime()-at)) + " ago"
}

// called names an object as people do: by the kind's singular, and its namespace where
// that is not the default.
func (s *story) called(ref candor.Ref) string {
	word := strings.TrimSuffix(ref.Kind.Plural(), "s")
	if v, err := s.view.Get(candor.Ref{Kind: candor.KindKinds, Name: string(ref.Kind)}, 0); err == nil && v != nil {
		if o, err := v.Object(); err == nil {
			var spec candor.KindSpec
			if json.Unmarshal(o.Spec, &spec) == nil && spec.Names.Kind != "" {
				word = strings.ToLower(spec.Names.Kind)
				if spec.Names.Singular != "" {
					word = spec.Names.Singular
				}
			}
		}
	}
	if ref.Namespace != "" && ref.Namespace != "default" {
		return word + "/" + ref.Namespace + "/" + ref.Name
	}
	return word + "/" + ref.Name
}

// holder is a party as people call it: a server by its name.
func holder(w World, party string) string {
	if id, ok := strings.CutPrefix(party, string(candor.PartyServer)+"/"); ok {
		if name := w.ServerName(id); name != "" {
			return name
		}
		return "server " + id
	}
	return party
}

// acts says who holds a duty.
func (s *story) acts(duty string) string {
	l := s.view.Tenure(tenure.Duty{Name: duty})
	if l.Current.State != tenure.StateActive {
		return "nobody holds duty " + duty
	}
	return holder(s.world, l.Current.Holder) + " holds duty " + duty + ", era " + number(l.Current.Number)
}

// holderOf is who held the duty of a cause in its era; who asked, where that is not kept
// any more.
func (s *story) holderOf(c *candor.Cause) string {
	l := s.view.Tenure(tenure.Duty{Name: c.Duty})
	if l.Current.Number == c.Era {
		return l.Current.Holder
	}
	holder := c.Actor
	s.view.Chain(candor.Ref{Kind: candor.KindTenures, Name: l.Duty.ObjectName()}, func(v *mvcc.Version) bool {
		o, err := v.Object()
		var status struct {
			Era    uint64 `json:"era"`
			Holder string `json:"holder"`
		}
		if err != nil || unread(o.Status, &status) != "" {
			return true
		}
		if status.Era == c.Era {
			holder = status.Holder
		}
		return status.Era > c.Era
	})
	return holder
}

// by is who wrote a version, and why.
func (s *story) by(c *candor.Cause) string {
	if c == nil {
		return "nobody knows by whom"
	}
	text := "by " + c.Actor
	if c.Duty != "" {
		text = "by " + holder(s.world, s.holderOf(c)) + " under duty " + c.Duty
		if c.Era != 0 {
			text += ", era " + number(c.Era)
		}
	}
	if c.Reason != "" {
		text += " (" + c.Reason + ")"
	}
	if c.Message != "" {
		text += ": " + c.Message
	}
	return text
}
