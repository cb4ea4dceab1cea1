package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// AuthTokenRevokeOptions are those of `candor auth token revoke`.
type AuthTokenRevokeOptions struct {
	*Factory
	Accessors []string
}

// NewCmdAuthTokenRevoke returns `candor auth token revoke`.
func NewCmdAuthTokenRevoke(f *Factory, run func(context.Context, *AuthTokenRevokeOptions) error) *cobra.Command {
	o := &AuthTokenRevokeOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "revoke ACCESSOR...", Short: "Have tokens count no more",
		Long: `Have tokens count no more. Writes with such a token are refused at once, reads by
each server as soon as it has applied the change.`,
		Example:           "candor auth token revoke kq3v7mzp2xay\ncandor auth token list",
		Args:              arguments(1, -1, "accessors, which \"candor auth token list\" shows"),
		ValidArgsFunction: f.completeAccessors,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Accessors = args
			return runs(run, runAuthTokenRevoke)(cmd.Context(), o)
		},
	}
	return remotely(cmd)
}

func runAuthTokenRevoke(ctx context.Context, o *AuthTokenRevokeOptions) error {
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	failures := outcomes{f: o.Factory}
	for i, accessor := range o.Accessors {
		// A whole token says its accessor, and need not be shown again.
		if b, err := candor.ParseBearer(accessor); err == nil {
			accessor = b.Accessor
		}
		_, err := remote.Writer.Delete(ctx, candor.Ref{Kind: candor.KindTokens, Name: accessor}, client.WithReason("REVOKE", "revoked"))
		if err != nil {
			if candor.ReasonOf(err) == candor.ReasonNotFound {
				err = try(err, "candor auth token list")
			}
			failures.refuse("candor auth token revoke "+accessor, err)
			if hopeless(err) {
				failures.left(len(o.Accessors) - i - 1)
				break
			}
			continue
		}
		if _, err := fmt.Fprintln(o.Out, "token/"+output.Clean(accessor)+" revoked"); err != nil {
			return internal("auth token revoke", err)
		}
	}
	return failures.end()
}

func (f *Factory) completeAccessors(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return f.offer(cmd.Context(), typed, func(ctx context.Context) ([]string, error) { return f.namesOf(ctx, candor.KindTokens, "") })
}
