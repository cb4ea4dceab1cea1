package cli

import (
	"context"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// AuthBootstrapOptions are those of `candor auth bootstrap`.
type AuthBootstrapOptions struct {
	*Factory
	Actor string
	TTL   time.Duration
	Reset bool
	Out   string
}

// NewCmdAuthBootstrap returns `candor auth bootstrap`.
func NewCmdAuthBootstrap(f *Factory, run func(context.Context, *AuthBootstrapOptions) error) *cobra.Command {
	o := &AuthBootstrapOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "bootstrap", Short: "Turn access control on, and make the first administrator's token",
		Long: `Turn access control on, and make the first administrator's token. From then on
every request needs a token and a role; access control is not turned off again.

The token is made here and shown once; the cluster knows a hash of it. It works
once in the life of a cluster. An administrator who is locked out writes a file
into the data directory of a server and asks that one server with --reset: what
the refusal says is what the file must hold, and where.`,
		Example: `candor auth bootstrap --out admin.token
candor auth bootstrap --actor ana --ttl 720h
candor auth bootstrap --reset --server 10.0.0.1:7101 --out admin.token`,
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runAuthBootstrap)(cmd.Context(), o) },
	}
	cmd.Flags().StringVar(&o.Actor, "actor", "", "`name` of the administrator (default: the user's name)")
	cmd.Flags().DurationVar(&o.TTL, "ttl", 365*24*time.Hour, "`duration` that the token is good for")
	cmd.Flags().BoolVar(&o.Reset, "reset", false, "open access control again, by the file on the disk of the one --server")
	cmd.Flags().StringVar(&o.Out, "out", "", "write the token to a new `file` that only you may read, instead of stdout")
	return honours(cmd, flagServer, flagContext, flagTimeout, flagCA, flagCert, flagKey)
}

func runAuthBootstrap(ctx context.Context, o *AuthBootstrapOptions) error {
	address := ""
	if o.Reset {
		if len(o.Flags.Servers) != 1 {
			return usage("--reset asks one server, the one that has the file on its disk: give --server HOST:PORT once")
		}
		address = o.Flags.Servers[0]
	}
	expires, err := o.expiry(o.TTL)
	if err != nil {
		return err
	}
	if o.Actor == "" {
		o.Actor = userName()
	}
	if err := candor.CheckActor(o.Actor); err != nil {
		return try(err, "candor auth bootstrap --actor NAME")
	}
	o.nameless = true
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	m := made{Factory: o.Factory, token: client.NewToken(), path: o.Out}
	var epoch uint64
	err = m.keep(func() error {
		var err error
		epoch, err = remote.Access(address).Open(ctx, client.Opening{Actor: o.Actor, Token: m.token, Expires: expires, Reset: o.Reset})
		return err
	})
	switch candor.ReasonOf(err) {
	case "":
	case candor.ReasonOutcomeUnknown:
		return try(err, "candor auth whoami --token-file FILE      with the token in FILE: whether it counts")
	case candor.ReasonConflict:
		return try(err, "candor auth whoami      as whom the servers know you", "candor auth bootstrap --reset --server HOST:PORT      once the file is there")
	case candor.ReasonForbidden:
		return try(err, "the same command again, once the file is there")
	default:
		return err
	}
	o.Narrate("access control is %s; %s is an administrator until %s", accessText(epoch), output.Clean(o.Actor), expires.Format(client.TokenTime))
	m.howToUse()
	return nil
}

// expiry is when a token ends that is made now; times in tokens have whole
// seconds.
func (f *Factory) expiry(ttl time.Duration) (time.Time, error) {
	if ttl < time.Second {
		return time.Time{}, usage("--ttl %v: want a second or more, for example 24h", ttl)
	}
	return f.Now().Add(ttl).UTC().Truncate(time.Second), nil
}

// userName is the name of the operating system's user; "" where it has none.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}
