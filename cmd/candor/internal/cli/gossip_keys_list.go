package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// GossipKeysListOptions are those of `candor gossip keys list`.
type GossipKeysListOptions struct {
	*Factory
	On string
}

// NewCmdGossipKeysList returns `candor gossip keys list`.
func NewCmdGossipKeysList(f *Factory, run func(context.Context, *GossipKeysListOptions) error) *cobra.Command {
	o := &GossipKeysListOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "list", Short: "Show which keys every server has, by their fingerprints",
		Long: `Show which keys every server has, by their fingerprints: the one that it sends
with, and the others that it understands. Servers understand each other when
every ring holds what any server sends with.`,
		Example:           "candor gossip keys list\ncandor gossip keys list --on n2 -o json",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runGossipKeysList)(cmd.Context(), o) },
	}
	onServer(f, cmd, &o.On)
	return remotely(cmd, flagOutput)
}

type ringsDocument struct {
	APIVersion string         `json:"apiVersion"`
	Kind       string         `json:"kind"`
	Items      []ringDocument `json:"items"`
}

func runGossipKeysList(ctx context.Context, o *GossipKeysListOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	r, err := o.rings(ctx, o.On)
	if err != nil {
		return err
	}
	r.look(ctx)
	if format.Structured() {
		err = format.Document(o.Out, ringsDocument{APIVersion: candor.APIVersion, Kind: "GossipKeyRingList", Items: r.servers})
	} else {
		err = o.table(r)
	}
	if err != nil {
		return internal("gossip keys list", err)
	}
	out := outcomes{f: o.Factory}
	for _, d := range r.servers {
		if d.failure != nil {
			out.refuse("candor gossip keys list --"+flagOn+" "+d.Server, d.failure)
		}
	}
	o.compare(r)
	return out.end()
}

func (o *GossipKeysListOptions) table(r *rings) error {
	table := output.NewTable(o.Out, o.OutPalette(), "SERVER", "SENDS WITH", "UNDERSTANDS TOO").States()
	for _, d := range r.servers {
		var others []string
		for _, k := range d.Keys {
			if !k.Primary {
				others = append(others, k.Fingerprint)
			}
		}
		primary := d.sendsWith()
		if d.failure != nil {
			primary = string(candor.ReasonOf(d.failure))
		}
		table.Row(d.Server, primary, strings.Join(others, ","))
	}
	return table.Flush()
}

// compare says who does not hear whom, and what is left of a rotation.
func (o *GossipKeysListOptions) compare(r *rings) {
	primaries := r.keys(func(k client.GossipKey) bool { return k.Primary })
	for _, key := range primaries {
		deaf := r.named(func(d *ringDocument) bool { return d.failure == nil && !d.holds(key) })
		if len(deaf) > 0 {
			senders := r.named(func(d *ringDocument) bool { return d.sendsWith() == key })
			o.Narrate("without the key %s: %s; what %s send with it is not heard there", key, output.Clean(enumerated(deaf)), output.Clean(enumerated(senders)))
		}
	}
	if all := r.keys(func(client.GossipKey) bool { return true }); len(all) > 1 {
		o.Narrate("more than one key: a rotation is under way, or was not finished; candor gossip keys rotate leaves one")
	}
}
