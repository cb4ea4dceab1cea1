package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// WriteTable prints the rows aligned, with a mark for each target: "met",
// "met+" for the stretch, "MISSED", or "?" where it could not be judged.
func WriteTable(w io.Writer, rows []Row) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ROW\tUNIT\tCANDOR\tSPREAD\tPEER\tSPREAD\tRATIO\tSPREAD\tFLOOR\tSTRETCH\tMET\tROUNDS")
	for _, r := range rows {
		floors, stretches, mets := r.targets()
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			r.Name, r.Unit, number(r.Candor), between(r.Spread.Candor), number(r.Peer), between(r.Spread.Peer),
			number(r.Ratio), between(r.Spread.Ratio), floors, stretches, mets, r.rounds())
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print table: %w", err)
	}
	if err := writePlain(w, rows); err != nil {
		return err
	}
	if err := writeBeside(w, rows); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, r := range rows {
		experiment := r.Name[:strings.LastIndexByte(r.Name, '/')]
		if r.Note == "" || seen[experiment] {
			continue
		}
		seen[experiment] = true
		if _, err := fmt.Fprintf(w, "note: %s: %s\n", experiment, r.Note); err != nil {
			return fmt.Errorf("print notes: %w", err)
		}
	}
	return nil
}

// writeBeside says whose column the peer's is, where it is not the other system's.
func writeBeside(w io.Writer, rows []Row) error {
	last := ""
	for _, r := range rows {
		experiment := r.Name[:strings.LastIndexByte(r.Name, '/')]
		if r.Beside == "" || experiment == last {
			continue
		}
		last = experiment
		if _, err := fmt.Fprintf(w, "beside: %s: %s\n", experiment, r.Beside); err != nil {
			return fmt.Errorf("print whom rows are beside: %w", err)
		}
	}
	return nil
}

func (r Row) targets() (floors, stretches, mets string) {
	var floor, stretch, met []string
	for _, t := range r.Target {
		floor = append(floor, t.Floor)
		if t.Stretch != "" {
			stretch = append(stretch, t.Stretch)
		}
		met = append(met, t.mark())
	}
	return strings.Join(floor, ", "), strings.Join(stretch, ", "), strings.Join(met, ", ")
}

func (t Target) mark() string {
	switch {
	case t.FloorMet == nil:
		return "?"
	case !*t.FloorMet:
		return "MISSED"
	case t.StretchMet != nil && *t.StretchMet:
		return "met+"
	}
	return "met"
}

func (r Row) rounds() string {
	if r.Spread.Rejected == 0 {
		return fmt.Sprint(r.Spread.Rounds)
	}
	return fmt.Sprintf("%d (-%d)", r.Spread.Rounds, r.Spread.Rejected)
}

func number(v *float64) string {
	if v == nil {
		return "-"
	}
	return digits(*v)
}

func between(r *Range) string {
	if r == nil {
		return "-"
	}
	return digits(r[0]) + ".." + digits(r[1])
}

// digits prints three significant ones, without an exponent.
func digits(v float64) string {
	switch size := math.Abs(v); {
	case size >= 100 || size == 0:
		return fmt.Sprintf("%.0f", v)
	case size >= 10:
		return fmt.Sprintf("%.1f", v)
	case size >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}
