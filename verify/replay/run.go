package replay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/verify/history"
)

// Options say what a run replays.
type Options struct {
	// From names the base, as Origin.Base finds it.
	From string
	// To is the last entry; 0 for the last there is, and that is known to be committed
	// where the source knows.
	To uint64
	// Points are digests to compare besides those that the source has.
	Points []Point
	// Step hears of every turn, in order; nil for nobody. An error ends the run there.
	Step func(*Turn) error
	// Digest hears of the state after every entry that changes it, and of the base's, in
	// order; nil for nobody.
	Digest func(index uint64, d Digest)
}

// ErrStop ends a run after the entry, without an error, where Step returns it.
var ErrStop = errors.New("stop")

// Report is what a run found.
type Report struct {
	Source    string `json:"source"`
	ClusterID string `json:"clusterID,omitempty"`
	Base      Base   `json:"base"`
	// First and Last are the entries that were replayed.
	First   uint64 `json:"first,omitempty"`
	Last    uint64 `json:"last"`
	Entries uint64 `json:"entries"`
	Turns   uint64 `json:"turns"`
	Refused uint64 `json:"refused"`
	// Faults and Violations are those in the state's own count at the end.
	Faults     uint64        `json:"turnFaults"`
	Violations uint64        `json:"violations"`
	Took       time.Duration `json:"tookNanoseconds"`
	Token      candor.Token  `json:"rootToken"`
	Digest     Digest        `json:"digest"`
	// Checked counts digests that were compared, Outside those of entries that were not
	// replayed.
	Checked int `json:"checked"`
	Outside int `json:"outside"`
	// Mismatch is the first digest that differs, Mismatches how many do.
	Mismatch   *Mismatch `json:"mismatch,omitempty"`
	Mismatches int       `json:"mismatches"`
	// Damaged are snapshots that could not be read.
	Damaged []string `json:"damaged,omitempty"`
	// Notes are what a reader must know to judge the verdict.
	Notes   []string        `json:"notes,omitempty"`
	Verdict history.Verdict `json:"verdict"`
	// Why is why a verdict is INCONCLUSIVE.
	Why string `json:"why,omitempty"`

	view *fsm.View
}

// Mismatch is a digest that is not the one that the replay came to.
type Mismatch struct {
	Point
	Replayed Digest `json:"replayed"`
	// Agreed is the newest entry before it at which a digest agreed; 0 for none. What
	// went wrong did so after it.
	Agreed uint64 `json:"agreed"`
}

// Object is what the state at the end holds of an object; nil where there is none.
func (r *Report) Object(ref candor.Ref) (*candor.Object, error) {
	v, err := r.view.Get(ref, 0)
	if err != nil || v == nil {
		return nil, err
	}
	return v.Object()
}

// TurnsPerSecond is how fast turns were taken.
func (r *Report) TurnsPerSecond() float64 {
	if r.Took <= 0 {
		return 0
	}
	return float64(r.Turns) / r.Took.Seconds()
}

// Run replays a source and compares every digest that was published of it.
func Run(ctx context.Context, source Source, o Options) (*Report, error) {
	origin := source.Origin()
	base, err := origin.Base(o.From)
	if err != nil {
		return nil, err
	}
	to, notes, err := origin.end(base, o.To)
	if err != nil {
		return nil, err
	}
	report := &Report{Source: origin.Name, ClusterID: origin.ClusterID, Base: base, Notes: notes}
	points := slices.Concat(origin.Points, o.Points, report.trailers(ctx, source, origin, base, to))
	c := newComparison(points)
	p, err := begin(ctx, source, base, c.heard(o.Digest))
	if err != nil {
		return nil, err
	}
	if err := p.play(ctx, to, stepper(p, o.Step)); err != nil && !errors.Is(err, ErrStop) {
		return nil, err
	}
	report.conclude(p, c)
	return report, nil
}

// end is the last entry to replay.
func (o Origin) end(base Base, to uint64) (uint64, []string, error) {
	last := max(o.Last, base.Index)
	var notes []string
	switch {
	case to != 0 && to < base.Index:
		return 0, nil, candor.Errorf(candor.ReasonInvalid, "%s: the replay begins after entry %d and cannot stop at %d: begin earlier", o.Name, base.Index, to)
	case to > last:
		return 0, nil, candor.Errorf(candor.ReasonNotFound, "%s: its log ends at entry %d, before %d", o.Name, last, to)
	case to == 0 && o.Committed != 0:
		to = max(min(last, o.Committed), base.Index)
	case to == 0:
		to = last
	}
	if o.Committed == 0 {
		notes = append(notes, "nothing here says which entries were committed: the last ones may never have been")
	} else if to > o.Committed {
		notes = append(notes, fmt.Sprintf("entries after %d are not known to be committed", o.Committed))
	}
	return to, notes, nil
}

// trailers are the digests that snapshots between the base and the end carry.
func (r *Report) trailers(ctx context.Context, source Source, origin Origin, base Base, to uint64) []Point {
	var out []Point
	for _, s := range origin.Snapshots {
		if s.Index < base.Index || s.Index > to || s.ID == base.Snapshot {
			continue
		}
		point, err := trailer(ctx, source, s)
		if err != nil {
			r.Damaged = append(r.Damaged, "snapshot "+s.ID+": "+err.Error())
			continue
		}
		out = append(out, point)
	}
	return out
}

func trailer(ctx context.Context, source Source, s Snapshot) (_ Point, err error) {
	contents, err := source.Snapshot(ctx, s.ID)
	if err != nil {
		return Point{}, err
	}
	defer func() { err = errors.Join(err, contents.Close()) }()
	found, err := fsm.ScanSnapshot(contents)
	if err != nil {
		return Point{}, err
	}
	return Point{Index: found.Token.Index, Digest: Digest(found.Digest), By: "snapshot " + s.ID}, nil
}

// stepper has turns told; nil where nobody wants to hear.
func stepper(p *player, step func(*Turn) error) func(*Entry, fsm.EntryResult) error {
	if step == nil {
		return nil
	}
	return func(e *Entry, result fsm.EntryResult) error {
		if !e.played() {
			return nil
		}
		var stop error
		turns := turnsOf(e, result, p.machine.View())
		for i := range turns {
			if err := step(&turns[i]); err != nil {
				stop = err
				break
			}
		}
		return stop
	}
}

func (r *Report) conclude(p *player, c *comparison) {
	view := p.machine.View()
	stats := view.Stats()
	r.view, r.Token, r.Digest = view, view.Token(), Digest(view.Digest())
	r.Entries, r.Turns, r.Refused, r.Took, r.Last = p.entries, p.turns, p.refused, p.took, p.at
	r.Faults, r.Violations = stats.Faults, stats.Violations
	if p.entries > 0 {
		r.First = p.base.Index + 1
	}
	r.Checked, r.Mismatch, r.Mismatches = c.checked, c.first, c.differ
	r.Outside = c.points - c.checked
	switch {
	case r.Mismatches > 0 || len(r.Damaged) > 0:
		r.Verdict = history.Violated
	case r.Checked == 0:
		r.Verdict, r.Why = history.Inconclusive, "no digest was published of an entry that was replayed"
	default:
		r.Verdict = history.Pass
	}
}

// comparison holds a replay against what was published.
type comparison struct {
	at     map[uint64][]Point
	points int
	// checked and differ count points.
	checked, differ int
	agreed          uint64
	first           *Mismatch
}

func newComparison(points []Point) *comparison {
	c := &comparison{at: map[uint64][]Point{}, points: len(points)}
	for _, p := range sorted(points) {
		c.at[p.Index] = append(c.at[p.Index], p)
	}
	return c
}

// heard compares, and has somebody hear of it.
func (c *comparison) heard(by func(uint64, Digest)) func(uint64, Digest) error {
	if by == nil {
		return c.compare
	}
	return func(index uint64, d Digest) error {
		by(index, d)
		return c.compare(index, d)
	}
}

func (c *comparison) compare(index uint64, d Digest) error {
	same := true
	for _, p := range c.at[index] {
		c.checked++
		if p.Digest == d {
			continue
		}
		same = false
		c.differ++
		if c.first == nil {
			c.first = &Mismatch{Point: p, Replayed: d, Agreed: c.agreed}
		}
	}
	if same && len(c.at[index]) > 0 {
		c.agreed = index
	}
	delete(c.at, index)
	return nil
}
