package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor/client"
)

// GossipKeysAddOptions are those of `candor gossip keys add`.
type GossipKeysAddOptions struct {
	*Factory
	On, KeyFile string
}

// NewCmdGossipKeysAdd returns `candor gossip keys add`.
func NewCmdGossipKeysAdd(f *Factory, run func(context.Context, *GossipKeysAddOptions) error) *cobra.Command {
	o := &GossipKeysAddOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "add", Short: "Have every server understand one more key",
		Long: `Have every server understand one more key. It is read from stdin or --key-file,
16, 24 or 32 bytes in base64, and never from the command line, where others could
see it. It goes to the servers over TLS, or to those on this machine.

Nobody sends with it yet. When it is on every server, "candor gossip keys use" has
them do so. Doing it again does no harm.`,
		Example: `head -c 32 /dev/urandom | base64 | candor gossip keys add
candor gossip keys add --key-file new.key
candor gossip keys add --key-file new.key --on n3`,
		Args:              arguments(0, 0, "no arguments: the key comes from stdin or --key-file"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runGossipKeysAdd)(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.KeyFile, flagKeyFile, "", "read the key from this `file` (default: stdin)")
	onServer(f, cmd, &o.On)
	return remotely(cmd, flagOutput)
}

func runGossipKeysAdd(ctx context.Context, o *GossipKeysAddOptions) error {
	key, err := o.readGossipKey(o.KeyFile)
	if err != nil {
		return err
	}
	r, err := o.rings(ctx, o.On)
	if err != nil {
		return err
	}
	changes := r.change(ctx, key.fingerprint, func(ring GossipRing) (*client.GossipKeyChange, error) {
		return ring.AddGossipKey(ctx, key.reveal())
	})
	return r.show("candor gossip keys add", changes, "added", "there already")
}
