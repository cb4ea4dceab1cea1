package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
)

// AuthTokenListOptions are those of `candor auth token list`.
type AuthTokenListOptions struct{ *Factory }

// NewCmdAuthTokenList returns `candor auth token list`.
func NewCmdAuthTokenList(f *Factory, run func(context.Context, *AuthTokenListOptions) error) *cobra.Command {
	o := &AuthTokenListOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "list", Short: "Show whose tokens there are, and until when",
		Long: `Show whose tokens there are, and until when; those that have expired too. A token
goes by its accessor; nobody but its bearer has the token itself.`,
		Example:           "candor auth token list\ncandor auth token list -o wide",
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return runs(run, runAuthTokenList)(cmd.Context(), o) },
	}
	return remotely(cmd, flagRead, flagStale, flagOutput)
}

func runAuthTokenList(ctx context.Context, o *AuthTokenListOptions) error {
	return runGet(ctx, &GetOptions{Factory: o.Factory, Args: []string{string(candor.KindTokens)}})
}
