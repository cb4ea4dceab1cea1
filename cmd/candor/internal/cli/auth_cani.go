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

// AuthCanIOptions are those of `candor auth can-i`.
type AuthCanIOptions struct {
	*Factory
	Verb, Kind, Name string
	Section          string
}

// systemPrefix begins the kinds that stand for administration.
const systemPrefix = "system/"

var (
	accessVerbs    = []string{"get", "list", "watch", "create", "update", "delete"}
	accessSections = []string{"spec", "status", "observed"}
	// systemKinds are offered to a shell; the server knows which there are.
	systemKinds = []string{
		"system/members", "system/leadership", "system/snapshots", "system/compactions", "system/featurelevels",
		"system/diagnostics", "system/views", "system/gossipkeys", "system/audit",
	}
)

// NewCmdAuthCanI returns `candor auth can-i`.
func NewCmdAuthCanI(f *Factory, run func(context.Context, *AuthCanIOptions) error) *cobra.Command {
	o := &AuthCanIOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "can-i VERB KIND [NAME]", Short: "Say whether you may do that, and by which role",
		Long: `Say whether you may do that, and by which role, as the server that is asked
would judge a request now. VERB is get, list, watch, create, update or delete;
KIND goes by any of its names, or is system/members and its like for what is
done to the cluster. Without NAME it is asked of no particular object.

Exit code 0: yes. 1: no, or an error, which says so on stderr.`,
		Example: `candor auth can-i create widgets -n shop
candor auth can-i update widget web --section status
candor auth can-i list widgets -A
candor auth can-i delete system/members`,
		Args: arguments(2, 3, "VERB KIND [NAME]"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return f.offer(cmd.Context(), typed, func(context.Context) ([]string, error) { return slices.Clone(accessVerbs), nil })
			case 1:
				return f.offer(cmd.Context(), typed, f.accessKinds)
			case 2:
				return f.completeTargets(cmd, args[1:2], typed)
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Verb, o.Kind = args[0], args[1]
			if len(args) > 2 {
				o.Name = args[2]
			}
			return runs(run, runAuthCanI)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Section, "section", "", "`part` of the object that is written: spec, status or observed (default: spec)")
	return remotely(cmd, flagNamespace, flagAll, flagOutput)
}

type verdictDocument struct {
	Verb      string `json:"verb"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name,omitempty"`
	Section   string `json:"section,omitempty"`
	*client.Verdict
}

func runAuthCanI(ctx context.Context, o *AuthCanIOptions) error {
	switch {
	case !slices.Contains(accessVerbs, o.Verb):
		return usage("verb %q: want one of %s", o.Verb, strings.Join(accessVerbs, ", "))
	case o.Section != "" && !slices.Contains(accessSections, o.Section):
		return usage("--section %q: want one of %s", o.Section, strings.Join(accessSections, ", "))
	case o.Section != "" && o.Verb != "create" && o.Verb != "update":
		return usage("--section is for create and update; %s takes the whole object", o.Verb)
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	ask, err := o.ask(ctx)
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	verdict, err := remote.Access("").CanI(ctx, ask)
	if err != nil {
		return err
	}
	if format.Structured() {
		err = format.Document(o.Out, verdictDocument{
			Verb: ask.Verb, Kind: ask.Kind, Namespace: ask.Namespace, Name: ask.Name, Section: ask.Section, Verdict: verdict,
		})
	} else {
		_, err = fmt.Fprintln(o.Out, output.Clean(verdictText(verdict)))
	}
	if err != nil {
		return internal("auth can-i", err)
	}
	if verdict.Witness != nil {
		o.stand(*verdict.Witness)
	}
	if !verdict.Allowed {
		return &ended{exit: candor.ExitError}
	}
	return nil
}

// ask is the question, with the kind's full name and the namespace that a
// command with the same flags would use.
func (o *AuthCanIOptions) ask(ctx context.Context) (client.Ask, error) {
	ask := client.Ask{Verb: o.Verb, Kind: o.Kind, Name: o.Name, Section: o.Section}
	if strings.HasPrefix(o.Kind, systemPrefix) {
		return ask, nil
	}
	kinds, err := o.Kinds()
	if err != nil {
		return ask, err
	}
	kind, err := kinds.Resolve(ctx, o.Kind)
	if err != nil {
		return ask, err
	}
	ask.Kind = string(kind.Name())
	ask.Namespace, err = o.namespaceOf(kind)
	return ask, err
}

func verdictText(v *client.Verdict) string {
	switch {
	case !v.Allowed:
		return "no: " + v.Message
	case v.Role != "":
		return "yes: role " + v.Role
	}
	return "yes: access control is off"
}

// accessKinds are for completion.
func (f *Factory) accessKinds(ctx context.Context) ([]string, error) {
	words, err := f.kindWords(ctx)
	if err != nil {
		// A cluster that does not answer has these all the same.
		return slices.Clone(systemKinds), nil //nolint:nilerr // the completion is poorer, that is all
	}
	return append(words, systemKinds...), nil
}
