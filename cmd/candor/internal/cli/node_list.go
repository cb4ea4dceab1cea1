package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// NodeListOptions are those of `candor node list`.
type NodeListOptions struct {
	*Factory
	Selector string
}

// NewCmdNodeList returns `candor node list`.
func NewCmdNodeList(f *Factory, run func(context.Context, *NodeListOptions) error) *cobra.Command {
	o := &NodeListOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "list", Short: "List the workers' nodes: state, instances, and what they hold",
		Long: `List the workers' nodes: their state, how many instances are on them, and what
those hold of what there is. Servers of the cluster are no nodes: "candor cluster
members" lists them.`,
		Example:           "candor node list\ncandor node list -l candor/zone=eu -o wide",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runNodeList)(cmd.Context(), o) },
	}
	cmd.Flags().StringVarP(&o.Selector, "selector", "l", "", "only nodes whose `labels` match")
	return remotely(cmd, flagRead, flagStale, flagAt, flagOutput)
}

func runNodeList(ctx context.Context, o *NodeListOptions) error {
	if _, err := candor.ParseSelector(o.Selector); err != nil {
		return usage("--selector: %v", said(err))
	}
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	list := listing{reader: remote.Reader, kind: candor.KindNodes, reading: reading, options: client.ListOptions{Selector: o.Selector}}
	first, err := list.next(ctx)
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		err = format.List(o.Out, output.ListHeader{Revision: first.Revision, Witness: &first.Witness}, list.all(ctx, first))
	case format == output.NameFormat:
		for object, failed := range list.all(ctx, first) {
			if err = failed; err == nil {
				_, err = fmt.Fprintln(o.Out, output.Clean("node/"+object.Metadata.Name))
			}
			if err != nil {
				break
			}
		}
	default:
		err = o.table(format.Wide(), list.all(ctx, first))
	}
	if err != nil {
		return internal("node list", err)
	}
	if list.seen == 0 && !format.Structured() {
		o.Narrate("there are no workers' nodes: candor worker registers one; servers are listed by candor cluster members")
	}
	o.Foot(list.witness)
	return nil
}

func (o *NodeListOptions) table(wide bool, objects iter.Seq2[*candor.Object, error]) error {
	columns := []string{"NODE", "STATE", "INSTANCES", "CPU", "MEMORY", "ZONE"}
	if wide {
		columns = append(columns, "ADDRESS", "VERSION", "TAINTS", "BECAUSE")
	}
	table := output.NewTable(o.Out, o.OutPalette(), columns...)
	var failed error
	for object, err := range objects {
		if err != nil {
			failed = err
			break
		}
		table.Row(nodeCells(object)...)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return failed
}

// nodeCells are a node's cells, those of wide last. What does not read is left out.
func nodeCells(object *candor.Object) []string {
	var spec candor.NodeSpec
	var status candor.NodeStatus
	var observed candor.NodeObserved
	_ = json.Unmarshal(object.Spec, &spec)
	_ = json.Unmarshal(object.Status, &status)
	_ = json.Unmarshal(object.Observed, &observed)
	state := status.Phase
	if state == "" {
		state = "unknown"
	}
	switch {
	case spec.Drain && state != "Draining" && state != "Drained":
		state += ", to be drained"
	case spec.Unschedulable:
		state += ", cordoned"
	}
	taints := make([]string, len(spec.Taints))
	for i, t := range spec.Taints {
		taints[i] = t.String()
	}
	because := ""
	if ready := status.Conditions.Get(candor.ConditionReady); ready != nil {
		because = ready.Reason
	}
	return []string{
		object.Metadata.Name, state, fmt.Sprint(status.Instances), heldText(candor.ResourceCPU, status.Held, observed.Capacity),
		heldText(candor.ResourceMemory, status.Held, observed.Capacity), object.Metadata.Labels[candor.LabelZone], observed.Address, observed.Version, strings.Join(taints, ","), because,
	}
}

// heldText is "500m/4"; empty where the node does not say what it has.
func heldText(resource string, held, capacity candor.Resources) string {
	has := capacity.Get(resource)
	if has == 0 {
		return ""
	}
	return candor.FormatAmount(resource, held.Get(resource)) + "/" + candor.FormatAmount(resource, has)
}
