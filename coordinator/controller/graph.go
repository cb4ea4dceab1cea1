package controller

import "github.com/candor-plane/candor"

// Direction of an Edge.
type Direction string

// The directions.
const (
	DirectionInput  Direction = "INPUT"
	DirectionOutput Direction = "OUTPUT"
)

// Graph is what controllers declared to read and write.
type Graph struct {
	Controllers []GraphController `json:"controllers"`
	Edges       []Edge            `json:"edges"`
}

// GraphController is a controller of a Graph.
type GraphController struct {
	Name    string `json:"name"`
	Workers int    `json:"workers"`
}

// Edge is between a controller and a kind. Section is of outputs.
type Edge struct {
	Controller string          `json:"controller"`
	Kind       candor.KindName `json:"kind"`
	Direction  Direction       `json:"direction"`
	Section    Section         `json:"section,omitempty"`
	Shared     bool            `json:"shared,omitempty"`
}

// Graph of the runtime's controllers, as they were declared.
func (r *Runtime) Graph() Graph {
	g := Graph{Controllers: []GraphController{}, Edges: []Edge{}}
	for _, c := range r.controllers {
		g.Controllers = append(g.Controllers, GraphController{Name: c.Name, Workers: c.Workers})
		for _, in := range c.Inputs {
			g.Edges = append(g.Edges, Edge{Controller: c.Name, Kind: in.Kind, Direction: DirectionInput})
		}
		for _, out := range c.Outputs {
			g.Edges = append(g.Edges, Edge{
				Controller: c.Name, Kind: out.Kind, Direction: DirectionOutput, Section: out.Section, Shared: out.Shared,
			})
		}
	}
	return g
}
