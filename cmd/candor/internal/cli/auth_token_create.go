package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// AuthTokenCreateOptions are those of `candor auth token create`.
type AuthTokenCreateOptions struct {
	*Factory
	Actor       string
	TTL         time.Duration
	Description string
	Join        bool
	Out         string
}

// NewCmdAuthTokenCreate returns `candor auth token create`.
func NewCmdAuthTokenCreate(f *Factory, run func(context.Context, *AuthTokenCreateOptions) error) *cobra.Command {
	o := &AuthTokenCreateOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "create --actor NAME", Short: "Make a token for somebody",
		Long: `Make a token for somebody. It is made here and shown once; the cluster knows a
hash of it. What its bearer may do follows from the role bindings of the actor,
a client by name or worker/NAME.

With --join it lets one server join the cluster, and is good for nothing else.`,
		Example: `candor auth token create --actor ana --ttl 720h --out ana.token
candor auth token create --actor worker/w1 --description 'rack 7'
candor auth token create --actor ana --join --ttl 1h`,
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runAuthTokenCreate)(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.Actor, "actor", "", "`name` that its bearer acts under")
	cmd.Flags().DurationVar(&o.TTL, "ttl", 24*time.Hour, "`duration` that it is good for")
	cmd.Flags().StringVar(&o.Description, "description", "", "`text` for people")
	cmd.Flags().BoolVar(&o.Join, "join", false, "it lets one server join, once")
	cmd.Flags().StringVar(&o.Out, "out", "", "write the token to a new `file` that only you may read, instead of stdout")
	return remotely(cmd)
}

// tokenSpec is the spec of a Token object.
type tokenSpec struct {
	Actor       string `json:"actor"`
	Hash        string `json:"hash"`
	Expires     string `json:"expires"`
	Description string `json:"description,omitempty"`
	Use         string `json:"use,omitempty"`
}

func runAuthTokenCreate(ctx context.Context, o *AuthTokenCreateOptions) error {
	if o.Actor == "" {
		return usage("whose token? --actor NAME says under which name its bearer acts")
	}
	if err := candor.CheckActor(o.Actor); err != nil {
		return err
	}
	expires, err := o.expiry(o.TTL)
	if err != nil {
		return err
	}
	m := made{Factory: o.Factory, token: client.NewToken(), path: o.Out}
	spec := tokenSpec{
		Actor: o.Actor, Hash: client.HashOf(m.token), Expires: expires.Format(client.TokenTime), Description: o.Description,
	}
	if o.Join {
		spec.Use = "join"
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return internal("auth token create", err)
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	object := &candor.Object{APIVersion: candor.APIVersion, Kind: "Token", Metadata: candor.Metadata{Name: m.token.Accessor}, Spec: text}
	if err := m.keep(func() error {
		_, err := remote.Writer.Create(ctx, object)
		return err
	}); err != nil {
		return err
	}
	o.Narrate("token %s of %s is good until %s", m.token.Accessor, output.Clean(o.Actor), spec.Expires)
	if o.Join {
		o.Narrate("It lets one server join.")
		return nil
	}
	m.howToUse()
	return nil
}
