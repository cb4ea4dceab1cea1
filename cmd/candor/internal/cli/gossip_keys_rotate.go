package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// GossipKeysRotateOptions are those of `candor gossip keys rotate`.
type GossipKeysRotateOptions struct {
	*Factory
	KeyFile string
}

// NewCmdGossipKeysRotate returns `candor gossip keys rotate`.
func NewCmdGossipKeysRotate(f *Factory, run func(context.Context, *GossipKeysRotateOptions) error) *cobra.Command {
	o := &GossipKeysRotateOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "rotate", Short: "Give every server a new key, and have them forget the old ones",
		Long: `Give every server a new key, and have them forget the old ones, while they run: the
new key is added to every ring, then every server sends with it, then every other
key is removed. No step begins before the one before it is done on every server, so
at every moment every server understands every other.

Where a server does not answer it stops and says how far it came. Nothing is lost
by that: servers go on understanding each other, and the same command, once the
server answers, leads to the end from wherever it stopped.

With --key-file the new key is written there first, readable by you alone; a server
that joins later needs it as its --gossip-key-file. A file that is there already has
to hold the new key. Without it the key is known to the servers alone.`,
		Example:           "candor gossip keys rotate --key-file gossip-2.key",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runGossipKeysRotate)(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.KeyFile, flagKeyFile, "", "write the new key to this `file`, or take it from there if it exists")
	return remotely(cmd, flagOutput)
}

// rotation is one on its way. What it relies on is that every server's primary is
// on every other's ring before and after each of its calls.
type rotation struct {
	*GossipKeysRotateOptions
	rings *rings
	key   secretKey
	// old are the keys that were there when it began.
	old []string
}

func runGossipKeysRotate(ctx context.Context, o *GossipKeysRotateOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	r, err := o.rings(ctx, "")
	if err != nil {
		return err
	}
	r.look(ctx)
	if err := r.unread(nothingChanged); err != nil {
		return err
	}
	key, drawn, err := o.keptGossipKey(o.KeyFile)
	if err != nil {
		return err
	}
	t := &rotation{
		GossipKeysRotateOptions: o, rings: r, key: key,
		old: r.keys(func(k client.GossipKey) bool { return k.Fingerprint != key.fingerprint }),
	}
	if err := t.run(ctx); err != nil {
		return err
	}
	return t.show(format, drawn)
}

const stoppedThere = "stopped there"

func (t *rotation) run(ctx context.Context) error {
	sent := t.rings.keys(func(k client.GossipKey) bool { return k.Primary })
	unused := without(t.old, sent)
	// What an earlier attempt left makes room first: nobody sends with it.
	if err := t.forget(ctx, unused, "every server sends and understands what it did before"); err != nil {
		return err
	}
	if err := t.everywhere("understood by", "every server goes on sending with what it did before", func(ring GossipRing) (*client.GossipKeyChange, error) {
		return ring.AddGossipKey(ctx, t.key.reveal())
	}); err != nil {
		return err
	}
	if err := t.rings.same(ctx); err != nil {
		return t.stopped(err, "the new key is on every ring that there was, and no server was told to send with it")
	}
	if err := t.everywhere("used by", "every server understands the old key and the new one", func(ring GossipRing) (*client.GossipKeyChange, error) {
		return ring.UseGossipKey(ctx, t.key.fingerprint)
	}); err != nil {
		return err
	}
	if err := t.settled(ctx); err != nil {
		return t.stopped(err, "no old key was removed")
	}
	return t.forget(ctx, without(t.old, unused), "every server sends with the new key, and some understand an old one too")
}

// without is what all has and some has not.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(k string) bool { return slices.Contains(some, k) })
}

// everywhere does one step on every server, and stops at the first that fails.
func (t *rotation) everywhere(done, stand string, do func(GossipRing) (*client.GossipKeyChange, error)) error {
	for _, d := range t.rings.servers {
		if _, err := do(t.rings.remote.Ring(d.Address)); err != nil {
			return t.stopped(t.rings.failed(&d, err, stoppedThere), stand)
		}
	}
	names := t.rings.named(func(*ringDocument) bool { return true })
	t.Narrate("%s: %s %s", t.key.fingerprint, done, output.Clean(enumerated(names)))
	return nil
}

// forget removes keys from every ring.
func (t *rotation) forget(ctx context.Context, keys []string, stand string) error {
	for _, key := range keys {
		for _, d := range t.rings.servers {
			if _, err := t.rings.remote.Ring(d.Address).RemoveGossipKey(ctx, key); err != nil {
				return t.stopped(t.rings.failed(&d, err, stoppedThere), stand)
			}
		}
		t.Narrate("%s: forgotten by every server", key)
	}
	return nil
}

// settled looks once more before anything is taken away: every member that there
// is sends with the new key.
func (t *rotation) settled(ctx context.Context) error {
	if err := t.rings.same(ctx); err != nil {
		return err
	}
	t.rings.look(ctx)
	if err := t.rings.unread(stoppedThere); err != nil {
		return err
	}
	if others := t.rings.named(func(d *ringDocument) bool { return d.sendsWith() != t.key.fingerprint }); len(others) > 0 {
		return candor.Errorf(candor.ReasonConflict, "%s send with another key by now: somebody else changes keys too", enumerated(others))
	}
	return nil
}

// stopped is the account of a rotation that did not come to its end.
func (t *rotation) stopped(err error, stand string) error {
	again := "candor gossip keys rotate"
	if t.KeyFile != "" {
		again += " --" + flagKeyFile + " " + shownPath(t.KeyFile)
	}
	e := &candor.Error{Reason: candor.ReasonOf(err), Message: said(err) + "; " + stand + ", so all understand each other", Err: err}
	if known, ok := errorOf(err); ok {
		e.Subject = known.Subject
	}
	return &refusal{err: e, steps: []string{again + "      again, when it is mended: it goes on from here", "candor gossip keys list", "candor status"}}
}

type rotationDocument struct {
	Fingerprint string   `json:"fingerprint"`
	Removed     []string `json:"removed"`
	Servers     []string `json:"servers"`
}

func (t *rotation) show(format output.Format, drawn bool) error {
	names := t.rings.named(func(*ringDocument) bool { return true })
	var err error
	if format.Structured() {
		err = format.Document(t.Out, rotationDocument{Fingerprint: t.key.fingerprint, Removed: append([]string{}, t.old...), Servers: names})
	} else {
		_, err = fmt.Fprintln(t.Out, output.Clean(t.came(names)))
	}
	if err != nil {
		return internal("gossip keys rotate", err)
	}
	switch {
	case !drawn && len(t.old) == 0:
		t.Narrate("It was so before: for a new key name a file that does not exist.")
	case t.KeyFile != "":
		t.Narrate("A server that joins needs it: --gossip-key-file %s", shownPath(t.KeyFile))
	default:
		t.Narrate("No file holds the key. Before another server joins, rotate with --%s FILE.", flagKeyFile)
	}
	return nil
}

func (t *rotation) came(names []string) string {
	text := "gossip key " + t.key.fingerprint + " is the only one, on " + enumerated(names)
	if len(t.old) > 0 {
		text += "; removed " + strings.Join(t.old, ", ")
	}
	return text
}
