package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// ringDocument is one server and what is on its ring.
type ringDocument struct {
	Server  string             `json:"server"`
	Address string             `json:"address"`
	Keys    []client.GossipKey `json:"keys,omitempty"`
	Error   string             `json:"error,omitempty"`

	failure error
}

func (d *ringDocument) holds(fingerprint string) bool {
	return slices.ContainsFunc(d.Keys, func(k client.GossipKey) bool { return k.Fingerprint == fingerprint })
}

// sendsWith is the fingerprint of the primary.
func (d *ringDocument) sendsWith() string {
	for _, k := range d.Keys {
		if k.Primary {
			return k.Fingerprint
		}
	}
	return ""
}

// rings are those of every member, or of the one server that was named.
type rings struct {
	*Factory
	remote *Remote
	// one: a server was named, and nothing is known of the others.
	one bool
	// configuration is that of the members.
	configuration uint64
	servers       []ringDocument
}

// rings finds whose rings a command is about, and asks none of them yet.
func (f *Factory) rings(ctx context.Context, on string) (*rings, error) {
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	r := &rings{Factory: f, remote: remote, one: on != ""}
	if r.one {
		address, err := f.address(ctx, remote, on)
		r.servers = []ringDocument{{Server: on, Address: address}}
		return r, err
	}
	members, err := r.members(ctx)
	if err != nil {
		return nil, err
	}
	r.configuration = members.ConfigurationIndex
	for _, m := range members.Members {
		d := ringDocument{Server: m.Name, Address: m.APIAddress}
		if d.Server == "" {
			d.Server = m.ServerID
		}
		if d.Address == "" {
			d.fail(candor.Errorf(candor.ReasonUnavailable, "the API address of %s is not known", d.Server))
		}
		r.servers = append(r.servers, d)
	}
	return r, nil
}

// members are as the leader knows them, where there is one: a server that has just
// joined is not to be missed.
func (r *rings) members(ctx context.Context) (*client.Members, error) {
	members, err := r.remote.Cluster.Members(ctx, client.WithoutSession())
	if err != nil {
		return nil, err
	}
	for _, m := range members.Members {
		if m.Leader && m.APIAddress != "" {
			return r.remote.Cluster.Members(ctx, client.OnEndpoint(m.APIAddress), client.WithoutSession())
		}
	}
	return members, nil
}

// same refuses to go on where members came or went since.
func (r *rings) same(ctx context.Context) error {
	members, err := r.members(ctx)
	if err != nil {
		return err
	}
	if members.ConfigurationIndex != r.configuration {
		return candor.Errorf(candor.ReasonConflict, "the members of the cluster have changed meanwhile")
	}
	return nil
}

func (d *ringDocument) fail(err error) { d.Keys, d.Error, d.failure = nil, said(err), err }

// look reads every ring anew.
func (r *rings) look(ctx context.Context) {
	var asked sync.WaitGroup
	for i := range r.servers {
		d := &r.servers[i]
		if d.Address == "" {
			continue
		}
		asked.Go(func() {
			keys, err := r.remote.Ring(d.Address).GossipKeys(ctx)
			if err != nil {
				d.fail(err)
				return
			}
			d.Keys, d.Error, d.failure = keys, "", nil
		})
	}
	asked.Wait()
}

const nothingChanged = "nothing was changed: what is on every ring has to be known first"

// unread is why a step that relies on every ring cannot be taken, with how things
// stand; nil when all could be read.
func (r *rings) unread(stand string) error {
	for i := range r.servers {
		if err := r.servers[i].failure; err != nil {
			return r.failed(&r.servers[i], err, stand)
		}
	}
	return nil
}

// failed says which server it was and how things stand.
func (*rings) failed(d *ringDocument, err error, stand string) error {
	e := &candor.Error{Reason: candor.ReasonOf(err), Subject: d.Server, Message: d.Server + ": " + said(err) + "; " + stand, Err: err}
	return try(e, "candor status      is "+d.Server+" up?")
}

// named are the servers of which it holds.
func (r *rings) named(holds func(d *ringDocument) bool) []string {
	var names []string
	for i := range r.servers {
		if holds(&r.servers[i]) {
			names = append(names, r.servers[i].Server)
		}
	}
	return names
}

// keys are all on any ring that are chosen, sorted.
func (r *rings) keys(chosen func(client.GossipKey) bool) []string {
	var all []string
	for _, d := range r.servers {
		for _, k := range d.Keys {
			if chosen(k) {
				all = append(all, k.Fingerprint)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ringChange is what became of one server's ring.
type ringChange struct {
	Server      string `json:"server"`
	Address     string `json:"address"`
	Fingerprint string `json:"fingerprint"`
	Changed     bool   `json:"changed"`
	Error       string `json:"error,omitempty"`
	failure     error
}

// change asks one server after another, whatever became of those before.
func (r *rings) change(ctx context.Context, fingerprint string, do func(GossipRing) (*client.GossipKeyChange, error)) []ringChange {
	changes := make([]ringChange, 0, len(r.servers))
	for i := range r.servers {
		d := &r.servers[i]
		c := ringChange{Server: d.Server, Address: d.Address, Fingerprint: fingerprint, failure: d.failure}
		if d.Address != "" && ctx.Err() == nil {
			var came *client.GossipKeyChange
			if came, c.failure = do(r.remote.Ring(d.Address)); c.failure == nil {
				c.Changed = came.Changed
			}
		} else if c.failure == nil {
			c.failure = candor.Wrap("gossip keys", ctx.Err())
		}
		if c.failure != nil {
			c.Error = said(c.failure)
		}
		changes = append(changes, c)
	}
	return changes
}

type ringChangesDocument struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Items      []ringChange `json:"items"`
}

// show shows what became of every server's ring, tells the refusals, and returns
// the worst of them.
func (r *rings) show(asked string, changes []ringChange, did, had string) error {
	format, err := r.Flags.format()
	if err != nil {
		return err
	}
	if format.Structured() {
		err = format.Document(r.Out, ringChangesDocument{APIVersion: candor.APIVersion, Kind: "GossipKeyChangeList", Items: changes})
	} else {
		table := output.NewTable(r.Out, r.OutPalette(), "SERVER", "KEY", "OUTCOME").States()
		for _, c := range changes {
			table.Row(c.Server, c.Fingerprint, c.outcome(did, had))
		}
		err = table.Flush()
	}
	if err != nil {
		return internal(asked, err)
	}
	out := outcomes{f: r.Factory}
	for _, c := range changes {
		if c.failure != nil {
			out.refuse(asked+" --"+flagOn+" "+c.Server, try(c.failure, asked+"      again: what was done stays done"))
		}
	}
	return out.end()
}

func (c *ringChange) outcome(did, had string) string {
	switch {
	case c.failure != nil:
		return string(candor.ReasonOf(c.failure))
	case c.Changed:
		return did
	default:
		return had
	}
}

// checkFingerprint keeps a key that was given by mistake from being repeated.
func checkFingerprint(text string) error {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 8 || strings.ToLower(text) != text {
		return try(usage("want the fingerprint of a key, 16 lowercase hex digits; what was given has %d characters", len(text)), "candor gossip keys list")
	}
	return nil
}

// enumerated is "n1, n2 and n3".
func enumerated(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return fmt.Sprintf("%s and %s", strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
}
