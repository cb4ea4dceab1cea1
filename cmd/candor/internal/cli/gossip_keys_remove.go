package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// GossipKeysRemoveOptions are those of `candor gossip keys remove`.
type GossipKeysRemoveOptions struct {
	*Factory
	On, Key string
}

// NewCmdGossipKeysRemove returns `candor gossip keys remove`.
func NewCmdGossipKeysRemove(f *Factory, run func(context.Context, *GossipKeysRemoveOptions) error) *cobra.Command {
	o := &GossipKeysRemoveOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "remove FINGERPRINT", Short: "Have every server forget a key that none sends with",
		Long: `Have every server forget a key. Nothing is changed unless every member answers and
none sends with it: whoever did would not be heard any more. With --on only that
server is asked, and the others are not looked at. The last key of a ring stays.`,
		Example:           "candor gossip keys remove 9f86d081884c7d65",
		Args:              arguments(1, 1, "one fingerprint"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Key = args[0]
			return runs(run, runGossipKeysRemove)(cmd.Context(), o)
		},
	}
	onServer(f, cmd, &o.On)
	return remotely(cmd, flagOutput)
}

func runGossipKeysRemove(ctx context.Context, o *GossipKeysRemoveOptions) error {
	if err := checkFingerprint(o.Key); err != nil {
		return err
	}
	r, err := o.rings(ctx, o.On)
	if err != nil {
		return err
	}
	if !r.one {
		r.look(ctx)
		if err := r.unread(nothingChanged); err != nil {
			return err
		}
		if senders := r.named(func(d *ringDocument) bool { return d.sendsWith() == o.Key }); len(senders) > 0 {
			return try(candor.Errorf(candor.ReasonConflict, "key %s is what %s send with; nothing was changed", o.Key, enumerated(senders)),
				"candor gossip keys use FINGERPRINT      have every server send with another first", "candor gossip keys rotate")
		}
	}
	changes := r.change(ctx, o.Key, func(ring GossipRing) (*client.GossipKeyChange, error) { return ring.RemoveGossipKey(ctx, o.Key) })
	return r.show("candor gossip keys remove "+o.Key, changes, "removed", "was not there")
}
