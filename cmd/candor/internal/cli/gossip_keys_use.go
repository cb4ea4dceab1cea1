package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// GossipKeysUseOptions are those of `candor gossip keys use`.
type GossipKeysUseOptions struct {
	*Factory
	On, Key string
}

// NewCmdGossipKeysUse returns `candor gossip keys use`.
func NewCmdGossipKeysUse(f *Factory, run func(context.Context, *GossipKeysUseOptions) error) *cobra.Command {
	o := &GossipKeysUseOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "use FINGERPRINT", Short: "Have every server send with a key of its ring",
		Long: `Have every server send with a key of its ring. Nothing is changed unless every
member answers and holds the key: whoever lacks it would not hear the others.
With --on only that server is asked, and the others are not looked at.`,
		Example:           "candor gossip keys use 9f86d081884c7d65",
		Args:              arguments(1, 1, "one fingerprint"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Key = args[0]
			return runs(run, runGossipKeysUse)(cmd.Context(), o)
		},
	}
	onServer(f, cmd, &o.On)
	return remotely(cmd, flagOutput)
}

func runGossipKeysUse(ctx context.Context, o *GossipKeysUseOptions) error {
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
		if lacking := r.named(func(d *ringDocument) bool { return !d.holds(o.Key) }); len(lacking) > 0 {
			return try(candor.Errorf(candor.ReasonConflict, "key %s is not on the ring of %s, who would not hear what is sent with it; nothing was changed", o.Key, enumerated(lacking)),
				"candor gossip keys add --key-file FILE", "candor gossip keys list")
		}
	}
	changes := r.change(ctx, o.Key, func(ring GossipRing) (*client.GossipKeyChange, error) { return ring.UseGossipKey(ctx, o.Key) })
	return r.show("candor gossip keys use "+o.Key, changes, "sends with it", "sent with it already")
}
