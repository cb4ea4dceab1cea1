package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// devScene is what is wanted and what is there, as it was read.
type devScene struct {
	workloads []devWorkload
	instances []devInstance
	nodes     map[string]devNode // by name
}

type devNode struct {
	phase   string
	session string // of the worker that has it
}

type devWorkload struct {
	ref        candor.Ref
	generation uint64
	replicas   int32
	status     candor.WorkloadStatus
}

type devInstance struct {
	ref      candor.Ref
	uid      string
	workload string
	status   candor.InstanceStatus
	observed candor.InstanceObserved
	ending   bool
	// told says that the worker that has the node now said what is observed.
	told bool
}

// scene reads workloads, instances and nodes, strongly.
func (s *devShow) scene(ctx context.Context) (*devScene, error) {
	out := &devScene{nodes: map[string]devNode{}}
	for object, err := range s.client.All(ctx, candor.KindWorkloads, client.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		w := devWorkload{ref: referring(candor.KindWorkloads, object), generation: object.Metadata.Generation}
		var spec candor.WorkloadSpec
		if err := decodeInto(object.Spec, &spec, object.Status, &w.status); err != nil {
			return nil, err
		}
		w.replicas = spec.Replicas
		out.workloads = append(out.workloads, w)
	}
	for object, err := range s.client.All(ctx, candor.KindInstances, client.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		i := devInstance{ref: referring(candor.KindInstances, object), uid: object.Metadata.UID, workload: object.Metadata.Labels[candor.LabelWorkload], ending: object.Terminating()}
		if err := decodeInto(object.Status, &i.status, object.Observed, &i.observed); err != nil {
			return nil, err
		}
		out.instances = append(out.instances, i)
	}
	for object, err := range s.client.All(ctx, candor.KindNodes, client.ListOptions{}) {
		if err != nil {
			return nil, err
		}
		var status candor.NodeStatus
		var observed candor.NodeObserved
		if err := decodeInto(object.Status, &status, object.Observed, &observed); err != nil {
			return nil, err
		}
		out.nodes[object.Metadata.Name] = devNode{phase: status.Phase, session: observed.Session}
	}
	for n := range out.instances {
		i := &out.instances[n]
		i.told = i.observed.Session != "" && i.observed.Session == out.nodes[i.status.Node].session
	}
	return out, nil
}

func referring(kind candor.KindName, o *candor.Object) candor.Ref {
	return candor.Ref{Kind: kind, Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
}

// decodeInto reads two sections of an object, of which each may be missing.
func decodeInto(first json.RawMessage, into any, second json.RawMessage, also any) error {
	if len(first) > 0 {
		if err := json.Unmarshal(first, into); err != nil {
			return internal("dev", err)
		}
	}
	if len(second) > 0 {
		return internal("dev", json.Unmarshal(second, also))
	}
	return nil
}

// over says that the instance counts for nobody any more.
func (i *devInstance) over() bool { return i.ending || i.status.Phase.Ended() }

// word is what an instance does now.
func (i *devInstance) word() string {
	switch {
	case i.status.Phase.Ended():
		return string(i.status.Phase)
	case i.ending:
		return "Ending"
	case i.status.Node == "":
		return "Pending"
	case i.observed.State == "" || !i.told:
		return "Placed"
	case i.observed.Ready:
		return string(i.observed.State) + ", ready"
	default:
		return string(i.observed.State)
	}
}

// missing is what keeps the scene from being as it is wanted, with nothing on the nodes
// that are out; empty when it is.
func (c *devScene) missing(workers []string, out ...string) string {
	if text := c.unready(slices.DeleteFunc(slices.Clone(workers), func(name string) bool { return slices.Contains(out, name) })); text != "" {
		return text
	}
	for i := range c.instances {
		i := &c.instances[i]
		switch {
		case i.over():
		case slices.Contains(out, i.status.Node):
			return fmt.Sprintf("instance/%s still counts on %s", i.ref.Name, i.status.Node)
		case !i.told:
			return fmt.Sprintf("what is known of instance/%s is from before its worker started", i.ref.Name)
		case !i.observed.Ready:
			return fmt.Sprintf("instance/%s is %s", i.ref.Name, i.word())
		}
	}
	for _, w := range c.workloads {
		st := &w.status
		if st.ObservedGeneration != w.generation || st.Phase != "Available" || st.Ready != w.replicas || st.Instances != w.replicas {
			return fmt.Sprintf("workload/%s is %s: %d of %d ready", w.ref.Name, orUnknown(st.Phase), st.Ready, w.replicas)
		}
	}
	return ""
}

// unready names a worker whose node is not ready; empty when all are.
func (c *devScene) unready(workers []string) string {
	for _, name := range workers {
		if phase := c.nodes[name].phase; phase != "Ready" {
			return "node " + name + " is " + orUnknown(phase)
		}
	}
	return ""
}

func orUnknown(phase string) string {
	if phase == "" {
		return "not looked at yet"
	}
	return phase
}

// tree draws what is there, a workload with its instances below it.
func (c *devScene) tree(p output.Palette) []string {
	var lines, nodes []string
	for _, name := range slices.Sorted(maps.Keys(c.nodes)) {
		nodes = append(nodes, output.Clean(name)+" "+p.States(orUnknown(c.nodes[name].phase)))
	}
	lines = append(lines, p.Heading("nodes")+"  "+strings.Join(nodes, ", "))
	for _, w := range c.workloads {
		lines = append(lines, fmt.Sprintf("%s  %s", p.Heading(output.Clean(w.ref.Namespace+"/"+w.ref.Name)),
			p.States(fmt.Sprintf("%s, %d of %d ready", orUnknown(w.status.Phase), w.status.Ready, w.replicas))))
		var own []devInstance
		for _, i := range c.instances {
			if i.workload == w.ref.Name && i.ref.Namespace == w.ref.Namespace {
				own = append(own, i)
			}
		}
		for n, i := range own {
			branch := "├─"
			if n == len(own)-1 {
				branch = "└─"
			}
			lines = append(lines, fmt.Sprintf("%s %-9s %-3s %s", branch, output.Clean(i.ref.Name), output.Clean(orDash(i.status.Node)), p.States(output.Clean(i.word()))))
		}
	}
	return lines
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// devStage shows scenes as they change: redrawn on a terminal, else a line for each
// thing that has come to be otherwise.
type devStage struct {
	show  *devShow
	drawn int // lines on the terminal
	last  []string
	words map[string]string
}

func (g *devStage) set(c *devScene) {
	if g.show.OutTerminal {
		g.draw(c.tree(g.show.OutPalette()))
		return
	}
	words := map[string]string{}
	for name, node := range c.nodes {
		words["node "+name] = orUnknown(node.phase)
	}
	for i := range c.instances {
		i := &c.instances[i]
		where := ""
		if i.status.Node != "" {
			where = " on " + i.status.Node
		}
		words[i.ref.Name+where] = i.word()
	}
	for _, line := range moves(g.words, words) {
		g.show.say("%s", line)
	}
	g.words = words
}

// moves is what has come to be otherwise, things of one new word in one line.
func moves(was, is map[string]string) []string {
	by := map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		// That it waits for its place, or starts, is over before anybody has read it.
		if word := is[name]; word != was[name] && word != "Pending" && word != "Starting" {
			by[word] = append(by[word], output.Clean(name))
		}
	}
	var lines []string
	for _, word := range slices.Sorted(maps.Keys(by)) {
		lines = append(lines, output.Clean(word)+": "+strings.Join(by[word], ", "))
	}
	return lines
}

// draw puts the lines where those before them were.
func (g *devStage) draw(lines []string) {
	if slices.Equal(lines, g.last) {
		return
	}
	if g.drawn > 0 {
		fmt.Fprintf(g.show.Out, "\x1b[%dA\x1b[J", g.drawn)
	}
	for _, line := range lines {
		fmt.Fprintf(g.show.Out, "          %s\n", line)
	}
	g.last, g.drawn = lines, len(lines)
}

// close leaves the last scene standing.
func (g *devStage) close(c *devScene) {
	if c == nil || g.show.OutTerminal {
		return
	}
	fmt.Fprintln(g.show.Out, "          "+strings.Join(c.tree(g.show.OutPalette()), "\n          "))
}

// settled shows the way to a scene of which nothing is missing but what is out.
func (s *devShow) settled(ctx context.Context, stage *devStage, what string, out ...string) (*devScene, error) {
	var last *devScene
	stage.last, stage.drawn = nil, 0
	err := s.waitUntil(ctx, what, func(ctx context.Context) (string, error) {
		scene, err := s.scene(ctx)
		if err != nil {
			return "", err
		}
		stage.set(scene)
		last = scene
		return scene.missing(s.cluster.Workers(), out...), nil
	})
	if err != nil {
		return nil, err
	}
	return last, nil
}
