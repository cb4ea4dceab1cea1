package cli

import "github.com/spf13/cobra"

// NewCmdGossip returns `candor gossip` and its commands.
func NewCmdGossip(f *Factory) *cobra.Command {
	keys := newGroup("keys", "Show and change the keys that gossip is encrypted with",
		NewCmdGossipKeysList(f, nil), NewCmdGossipKeysRotate(f, nil), NewCmdGossipKeysAdd(f, nil), NewCmdGossipKeysUse(f, nil), NewCmdGossipKeysRemove(f, nil))
	keys.Long = `Show and change the keys that gossip is encrypted with. Each server has a ring of
keys: it sends with one, and understands what comes under any of them. People see
a key's fingerprint, never the key.

"candor gossip keys rotate" replaces the key of every server while they run. Its
steps can be taken by hand too: add a key to every server, then use it on every
server, then remove the old one from every server; none before the one before it
is done everywhere, or servers would not hear each other. One person at a time.

Every server begins with the keys of its --gossip-key-file; from then on the ring
in its data directory counts. A server that joins later needs a key of today.

A cluster that gossips in the clear gets its first key by restarts, one server at
a time, each round finished before the next: with --gossip-key-file FILE
--gossip-encryption accepted, then with offered, then without the second flag.`
	return newGroup("gossip", "Look after the gossip between servers", keys)
}

const (
	flagOn      = "on"
	flagKeyFile = "key-file"
)

// onServer has a command about every ring be about one.
func onServer(f *Factory, cmd *cobra.Command, server *string) {
	cmd.Flags().StringVar(server, flagOn, "", "this `server` alone, by name, ID or HOST:PORT (default: every member)")
	// The flag is there: it was added above.
	_ = cmd.RegisterFlagCompletionFunc(flagOn, f.completeOnce(f.memberNames))
}
