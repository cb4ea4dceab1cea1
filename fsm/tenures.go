package fsm

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm/command"
	"github.com/candor-plane/candor/fsm/invariant"
	"github.com/candor-plane/candor/fsm/policy"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/internal/zoo"
)

// Tenures are the lineages of all duties. They are the truth; the objects of kind
// tenures.candor show them, with a version for every era that is granted, sealed,
// confirmed or closed. Renewals and reservations make none.

// Tenures are the lineages of the duties that were ever held, by name.
func (v *View) Tenures() []tenure.Lineage {
	all := make([]tenure.Lineage, len(v.tenures))
	for i, l := range v.tenures {
		all[i] = l.Lineage
	}
	return all
}

// Tenure is the lineage of a duty; of one that was never held, its beginning.
func (v *View) Tenure(duty tenure.Duty) tenure.Lineage { return v.tenures.of(duty) }

// lineage is what the state keeps of a duty, with its part of the sum. It is replaced,
// never changed: published views share it.
type lineage struct {
	tenure.Lineage

	hash xxh3.Uint128
}

// lineages are those of all duties, by name.
type lineages []*lineage

func (l lineages) of(duty tenure.Duty) tenure.Lineage {
	if at, ok := l.find(duty); ok {
		return l[at].Lineage
	}
	return tenure.New(duty)
}

func (l lineages) find(duty tenure.Duty) (at int, known bool) {
	return slices.BinarySearchFunc(l, duty.Name, func(l *lineage, name string) int { return strings.Compare(l.Duty.Name, name) })
}

// setLineage replaces a duty's lineage.
func (s *state) setLineage(after tenure.Lineage) {
	var scratch [1024]byte
	entry := &lineage{Lineage: after, hash: xxh3.Hash128(after.Append(scratch[:0]))}
	at, known := s.tenures.find(after.Duty)
	s.tenures = slices.Clone(s.tenures)
	if known {
		s.tenureSum.remove(s.tenures[at].hash)
		s.tenures[at] = entry
	} else {
		s.tenures = slices.Insert(s.tenures, at, entry)
	}
	s.tenureSum.add(entry.hash)
}

// changeTenure is one event of a duty's tenure.
func (d *draft) changeTenure() *candor.Error {
	c, s := d.cmd, d.m.state
	duty, err := tenure.DutyOf(clone(c.Duty))
	if err != nil {
		return err
	}
	if err := d.sentByHolder(); err != nil {
		return err
	}
	event := c.TenureEvent()
	if event == nil {
		return candor.Errorf(candor.ReasonInvalid, "tenure event of verb %d: this build does not know it", c.Tenure.Verb)
	}
	before := s.tenures.of(duty)
	after, err := before.Apply(tenure.Now{ClusterTime: s.time, Term: s.leaderTerm, Leader: string(candor.PartyServer) + "/" + s.leaderID}, event)
	if err != nil {
		return err
	}
	if d.m.skip&ruleSeal != 0 && after.Current.Number > 1 {
		after.Current.Start, after.Current.Bound = tenure.Frontiers{}, tenure.Frontiers{}
	}
	d.turn.Tenures = append(d.turn.Tenures, invariant.TenureChange{Before: before, After: after})
	switch tenure.Compare(before, after) {
	case tenure.Unchanged:
		return nil
	case tenure.Shown:
		if err := d.show(after); err != nil {
			return err
		}
	default:
	}
	d.effects = append(d.effects, func(s *state) { s.setLineage(after) })
	return nil
}

// sentByHolder refuses an event, or a fenced command, of somebody else than the
// holder that it names. Servers speak for themselves, through the cluster.
func (d *draft) sentByHolder() *candor.Error {
	c := d.cmd
	if c.Actor == candor.ActorSystem {
		if !strings.HasPrefix(c.Holder, string(candor.PartyServer)+"/") {
			return candor.Errorf(candor.ReasonForbidden, "%q is no server, and the command is the cluster's own", c.Holder)
		}
		return nil
	}
	holder, err := tenure.HolderOf(c.Actor)
	if err != nil {
		return err
	}
	if holder != c.Holder {
		return candor.Errorf(candor.ReasonForbidden, "%s acts as the holder %q: nobody acts as somebody else", c.Actor, c.Holder)
	}
	return nil
}

// fenced refuses a command that names a duty unless its era is active and the
// sender's.
func (d *draft) fenced() *candor.Error {
	c := d.cmd
	if c.Duty == "" || c.Type == command.TypeTenure {
		return nil
	}
	duty, err := tenure.DutyOf(c.Duty)
	if err != nil {
		return err
	}
	if err := d.sentByHolder(); err != nil {
		return err
	}
	l := d.m.state.tenures.of(duty)
	d.turn.Fence = &invariant.Fence{Lineage: l, Era: c.Era}
	if d.m.skip&ruleFence != 0 || zoo.Enabled && zoo.Has(zoo.SkipFence) {
		return nil
	}
	if err := l.Fence(c.Era); err != nil {
		return err
	}
	if !l.Holds(c.Holder, c.Era) {
		return &candor.Error{Reason: candor.ReasonForbidden, Subject: duty.Name, Message: sprintf("era %d of duty %s is %s's, not %s's", c.Era, duty.Name, l.Current.Holder, c.Holder)}
	}
	return nil
}

// show makes a version of the duty's object.
func (d *draft) show(l tenure.Lineage) *candor.Error {
	ref := candor.Ref{Kind: candor.KindTenures, Name: l.Duty.ObjectName()}
	before := d.live(ref)
	after := &candor.Object{APIVersion: candor.APIVersion, Kind: "Tenure", Spec: []byte("{}")}
	allowed := invariant.SectionStatus
	if before != nil {
		copied := *before
		after = &copied
	} else {
		allowed |= invariant.SectionSpec | invariant.SectionLife
		after.Metadata = candor.Metadata{Name: ref.Name, UID: bornAs(ref, d.revision()), Generation: 1, CreateRevision: d.revision(), CreationTime: d.wall()}
	}
	after.Status = l.AppendStatus(nil)
	return d.change(ref, before, after, allowed)
}

// bornAs is the UID of an object that the root itself makes.
func bornAs(ref candor.Ref, revision uint64) string {
	h := xxh3.HashString128(sprintf("root:%s@%d", ref, revision)).Bytes()
	id := hex.EncodeToString(h[:])
	return id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:]
}

// rootOnly refuses to let anybody but the root write what it keeps.
func rootOnly(op *command.Operation, ref candor.Ref) *candor.Error {
	if op.Verb == command.VerbGet || ref.Kind != candor.KindTenures && ref.Kind != candor.KindTransitions {
		return nil
	}
	return &candor.Error{Reason: candor.ReasonForbidden, Subject: ref.String(), Message: sprintf("%s: the root alone writes %s; candor %s --help", ref, ref.Kind, strings.TrimSuffix(ref.Kind.Plural(), "s"))}
}

// mayHold judges a tenure event as administration of the duty.
func (d *draft) mayHold() *candor.Error {
	return d.allowed(policy.Ask{Verb: policy.Update, Kind: policy.Tenures, Name: d.cmd.Duty})
}
