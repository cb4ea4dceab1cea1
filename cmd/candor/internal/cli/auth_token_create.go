package cli

import (
	"context"
	"encoding/json"
	"strings"
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
		Use: "create --actor NAME | --join", Short: "Make a token for somebody",
		Long: `Make a token for somebody. It is made here and shown once; the cluster knows a
hash of it. What its bearer may do follows from the role bindings of the actor,
a client by name or worker/NAME.

With --join it lets one server join the cluster, and is good for nothing else. It
is spent by the first server that joins with it, on "candor server
--join-token-file"; the account of that is its actor's, whoever makes it unless
--actor says otherwise. Servers that have certificates need none.`,
		Example: `candor auth token create --actor ana --ttl 720h --out ana.token
candor auth token create --actor worker/w1 --description 'rack 7'
candor auth token create --join --ttl 1h --out n4.token`,
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
	if o.Actor == "" && !o.Join {
		return usage("whose token? --actor NAME says under which name its bearer acts")
	}
	if o.Actor != "" {
		if err := candor.CheckActor(o.Actor); err != nil {
			return err
		}
	}
	expires, err := o.expiry(o.TTL)
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	if o.Actor == "" {
		if o.Actor, err = makerOf(ctx, remote); err != nil {
			return err
		}
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
	object := &candor.Object{APIVersion: candor.APIVersion, Kind: "Token", Metadata: candor.Metadata{Name: m.token.Accessor}, Spec: text}
	if err := m.keep(func() error {
		_, err := remote.Writer.Create(ctx, object)
		return err
	}); err != nil {
		return err
	}
	o.Narrate("token %s of %s is good until %s", m.token.Accessor, output.Clean(o.Actor), spec.Expires)
	if o.Join {
		o.howToJoin(remote.Servers)
		return nil
	}
	m.howToUse()
	return nil
}

// makerOf is the name under which the servers know whoever makes a token.
func makerOf(ctx context.Context, remote *Remote) (string, error) {
	self, err := remote.Access("").WhoAmI(ctx)
	if candor.ReasonOf(err) == candor.ReasonUnauthenticated {
		return "", try(err, tryToken)
	}
	if err != nil {
		return "", err
	}
	if self.Actor == candor.ActorAnonymous || candor.CheckActor(self.Actor) != nil {
		return "", usage("who answers for the join? You are %s to the servers; --actor NAME names somebody", self.Actor)
	}
	return self.Actor, nil
}

// howToJoin says what to run on the server that is to join.
func (o *AuthTokenCreateOptions) howToJoin(servers []string) {
	path := shownPath(o.Out)
	o.Narrate("It lets one server join, without a vote. Have it there in a file that only the server may read, and run")
	if o.Out == "" {
		path = "FILE"
	}
	o.Narrate("  candor server --name NAME --data DIR --join %s --join-token-file %s", output.Clean(strings.Join(shown(servers), ",")), path)
	o.Narrate("once it has caught up: candor cluster promote NAME")
}
