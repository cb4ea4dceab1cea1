package kinds

import (
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Budgets of one validation by the library, in schemas applied to values. A
// schema that refers to itself below several alternatives can demand a number
// that doubles with every level of the document: such a document is refused,
// not waited for.
const (
	maxSteps = 1_000_000
	// maxApplied bounds how many schemas one may apply to one value, and
	// maxApplications how many all of a document may, each to one.
	maxApplied      = 10_000
	maxApplications = 200_000
)

// cost foretells how much work the library would have with a document.
type cost struct {
	ids     map[*jsonschema.Schema]int32
	schemas []*jsonschema.Schema
	// applied lists, for each schema, what it applies to the same value,
	// itself included, and how often.
	applied [][]application
	// most bounds the schemas applied to any one value; 0 for no bound, which
	// is where schemas are recursive.
	most float64
}

// application is a schema by its id, and how often it is applied.
type application struct {
	id    int32
	times float64
}

// costOf needs all that root reaches, ordered by sortByUse over sameValue. It
// is nil if one value alone could cost too much.
func costOf(root *jsonschema.Schema, order []*jsonschema.Schema) *cost {
	c := &cost{ids: make(map[*jsonschema.Schema]int32, len(order)), schemas: order}
	for id, s := range order {
		c.ids[s] = int32(id)
	}
	sum := newTally(len(order))
	all := 0
	for id, s := range order {
		sum.add(int32(id), 1)
		for _, next := range sameValue(s) {
			for _, a := range c.applied[c.ids[next]] {
				sum.add(a.id, a.times)
			}
		}
		list := sum.take(nil)
		total := 0.0
		for _, a := range list {
			total += a.times
		}
		if all += len(list); total > maxApplied || all > maxApplications {
			return nil
		}
		c.applied = append(c.applied, list)
	}
	c.most = most(root, order)
	return c
}

// most bounds the schemas applied to any one value by the number of ways that
// lead from root to each schema.
func most(root *jsonschema.Schema, all []*jsonschema.Schema) float64 {
	order, cyclic := sortByUse(all, func(s *jsonschema.Schema) []*jsonschema.Schema {
		return append(sameValue(s), inside(s)...)
	})
	if cyclic != nil {
		return 0
	}
	ways := map[*jsonschema.Schema]float64{root: 1}
	total := 0.0
	for _, s := range slices.Backward(order) {
		total += ways[s]
		for _, next := range append(sameValue(s), inside(s)...) {
			ways[next] += ways[s]
		}
	}
	return total
}

// affordable says whether validating d against root stays within the budget.
func (c *cost) affordable(d *document, root *jsonschema.Schema) bool {
	if c.most > 0 && c.most*float64(len(d.nodes)) <= maxSteps {
		return true
	}
	e := estimate{cost: c, document: d, sum: newTally(len(c.schemas))}
	e.spend(0, 0, []application{{c.ids[root], 1}})
	return e.spent <= maxSteps
}

// estimate counts what one document would cost. The sum is empty between two
// values.
type estimate struct {
	*cost
	document *document
	sum      *tally
	spent    float64
	// lists of applications, two for each level of the document
	here, below [maxDepth + 1][]application
}

// spend adds what the schemas at node i and below cost.
func (e *estimate) spend(i int32, level int, at []application) {
	for _, a := range at {
		for _, b := range e.applied[a.id] {
			e.sum.add(b.id, a.times*b.times)
		}
	}
	here := e.sum.take(e.here[level][:0])
	e.here[level] = here
	d := e.document
	n := &d.nodes[i]
	for _, a := range here {
		e.spent += a.times
		// Equal hashes are cheap to make for arrays and objects.
		if e.schemas[a.id].UniqueItems && n.kind == arrayNode && n.next-i-1 > n.count {
			e.spent += a.times * float64(n.count) * float64(n.count) / 16
		}
	}
	if n.kind != objectNode && n.kind != arrayNode {
		return
	}
	c := i + 1
	for index := range int(n.count) {
		if e.spent > maxSteps {
			return
		}
		if n.kind == objectNode {
			e.member(here, string(d.keyOf(c, nil)))
		} else {
			e.item(here, index)
		}
		e.below[level] = e.sum.take(e.below[level][:0])
		e.spend(c, level+1, e.below[level])
		c = d.nodes[c].next
	}
}

func (e *estimate) member(here []application, key string) {
	for _, a := range here {
		s, evaluated := e.schemas[a.id], false
		if sub, ok := s.Properties[key]; ok {
			e.sum.add(e.ids[sub], a.times)
			evaluated = true
		}
		for pattern, sub := range s.PatternProperties {
			if pattern.MatchString(key) {
				e.sum.add(e.ids[sub], a.times)
				evaluated = true
			}
		}
		if additional, ok := s.AdditionalProperties.(*jsonschema.Schema); ok && !evaluated {
			e.sum.add(e.ids[additional], a.times)
		}
		e.addAll(a.times, s.UnevaluatedProperties, s.PropertyNames)
	}
}

func (e *estimate) item(here []application, index int) {
	for _, a := range here {
		s := e.schemas[a.id]
		if index < len(s.PrefixItems) {
			e.addAll(a.times, s.PrefixItems[index])
		} else {
			e.addAll(a.times, s.Items2020)
		}
		e.addAll(a.times, s.Contains, s.UnevaluatedItems)
	}
}

func (e *estimate) addAll(times float64, schemas ...*jsonschema.Schema) {
	for _, s := range schemas {
		if s != nil {
			e.sum.add(e.ids[s], times)
		}
	}
}

// tally adds up applications by schema.
type tally struct {
	times   []float64 // by id
	touched []int32
}

func newTally(schemas int) *tally { return &tally{times: make([]float64, schemas)} }

func (t *tally) add(id int32, times float64) {
	if t.times[id] == 0 {
		t.touched = append(t.touched, id)
	}
	t.times[id] += times
}

// take appends what was added to list, and empties the tally.
func (t *tally) take(list []application) []application {
	for _, id := range t.touched {
		list = append(list, application{id, t.times[id]})
		t.times[id] = 0
	}
	t.touched = t.touched[:0]
	return list
}
