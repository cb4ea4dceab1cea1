package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// AuthWhoAmIOptions are those of `candor auth whoami`.
type AuthWhoAmIOptions struct{ *Factory }

// NewCmdAuthWhoAmI returns `candor auth whoami`.
func NewCmdAuthWhoAmI(f *Factory, run func(context.Context, *AuthWhoAmIOptions) error) *cobra.Command {
	o := &AuthWhoAmIOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "whoami", Short: "Say as whom the servers know you, and your roles",
		Long: `Say as whom the servers know you, how they know it, and your roles: the word of
one server, by the policy of the revision that it shows. It needs no right.`,
		Example:           "candor auth whoami\ncandor auth whoami --server 10.0.0.2:7101 -o json",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runAuthWhoAmI)(cmd.Context(), o) },
	}
	return remotely(cmd, flagOutput)
}

func runAuthWhoAmI(ctx context.Context, o *AuthWhoAmIOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	self, err := remote.Access("").WhoAmI(ctx)
	if candor.ReasonOf(err) == candor.ReasonUnauthenticated {
		return try(err, tryToken, tryNew)
	}
	if err != nil {
		return err
	}
	if format.Structured() {
		err = format.Document(o.Out, self)
	} else {
		err = o.show(self)
	}
	if err != nil {
		return internal("auth whoami", err)
	}
	if self.Witness != nil {
		o.stand(*self.Witness)
	}
	return nil
}

func (o *AuthWhoAmIOptions) show(s *client.Self) error {
	facts := output.NewFacts(o.Out, o.OutPalette())
	facts.Add("Actor", s.Actor)
	facts.Add("Authenticated by", knownBy(s))
	roles := strings.Join(s.Roles, ", ")
	if roles == "" && s.AccessEpoch > 0 {
		roles = "none"
	}
	facts.Add("Roles", roles)
	if s.AccessEpoch == 0 && s.AccessRequired {
		facts.Add("Access control", "not opened yet, and nobody is served before: candor auth bootstrap")
	} else {
		facts.Add("Access control", accessText(s.AccessEpoch))
	}
	facts.Add("Opened", count(s.AccessEpoch))
	facts.Add("Policy revision", revisionText(s.PolicyRevision))
	return facts.Flush()
}

func knownBy(s *client.Self) string {
	switch s.Proof {
	case candor.ProofToken:
		return "token " + s.Accessor
	case candor.ProofNone:
		return "nothing: it is your own word"
	default:
		return string(s.Proof)
	}
}
