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

// WhyOptions are those of `candor why`.
type WhyOptions struct {
	*Factory
	Args []string
	On   string
}

// NewCmdWhy returns `candor why`.
func NewCmdWhy(f *Factory, run func(context.Context, *WhyOptions) error) *cobra.Command {
	o := &WhyOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "why KIND NAME | KIND/NAME", Short: "Say why something is as it is: what was decided, what led to it, what comes next",
		Long: `Say why something is as it is: what was decided about it and of what, what would
change that, the versions that led to it back to what somebody wanted, and when it
is looked at again. Nothing is changed.

KIND is that of any object, and also:

  member NAME      a server: why it is a member, whether it votes, what it holds
  request ID       a write of yours: what became of it, and why it was refused
  read SERVER      reads at a server: which classes it serves now, and why not others

--at explains an older version, as long as it is kept. --on asks one server,
which matters for requests: how far a refused one came only the server knows that
took it. "candor help explaining" reads an explanation line by line.`,
		Example: `candor why instance/web-3
candor why workload web
candor why tenure/tso
candor why transition/member-add-9f86d081884c7d659a2feaa0
candor why member n2
candor why read n2
candor why request 0192f0c8-5a1e-7cc3-98c4-dc0c0c07398f`,
		Args:              arguments(1, 2, "one object: KIND NAME or KIND/NAME"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runWhy)(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.On, "on", "", "ask this `server`, a member's name or ID, or HOST:PORT")
	return remotely(cmd, flagNamespace, flagRead, flagStale, flagAt, flagOutput)
}

// explanationDocument is an explanation as a document.
type explanationDocument struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	*candor.Explanation
	// Controllers are what the controllers last did about the subject.
	Controllers []candor.Reconciliation `json:"controllers,omitempty"`
	Witness     candor.Witness          `json:"witness"`
}

func runWhy(ctx context.Context, o *WhyOptions) error {
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	found, done, err := o.find(ctx, remote, reading)
	if err != nil {
		return err
	}
	return o.tellWhy(ctx, remote, format, found, done, "why")
}

// tellWhy writes an explanation in the format that was asked for.
func (f *Factory) tellWhy(ctx context.Context, remote *Remote, format output.Format, found *client.Explained, done []candor.Reconciliation, op string) error {
	var err error
	switch {
	case format.Structured():
		err = format.Document(f.Out, explanationDocument{APIVersion: candor.APIVersion, Kind: "Explanation", Explanation: found.Explanation, Controllers: done, Witness: found.Witness})
	case format == output.NameFormat:
		_, err = fmt.Fprintln(f.Out, output.Clean(found.Explanation.Subject.String()))
	default:
		teller := Teller{Out: f.Out, Palette: f.OutPalette(), Done: done}
		if slices.ContainsFunc(found.Explanation.Because, byServer) {
			teller.Names = f.memberNamesByID(ctx, remote)
		}
		err = teller.Tell(found.Explanation)
	}
	if err != nil {
		return internal(op, err)
	}
	f.Foot(found.Witness)
	return nil
}

func byServer(l candor.Link) bool {
	return l.Cause != nil && strings.HasPrefix(l.Cause.Actor, string(candor.PartyServer)+"/")
}

// find asks for what the arguments name.
func (o *WhyOptions) find(ctx context.Context, remote *Remote, reading Reading) (*client.Explained, []candor.Reconciliation, error) {
	word, name := splitSubject(o.Args)
	if name == "" && word != "" && len(o.Args) == 1 {
		return nil, nil, usage("why which %s? KIND NAME or KIND/NAME", word)
	}
	subject := candor.VersionRef{Ref: candor.Ref{Name: name}, Revision: reading.AtRevision}
	reading.AtRevision = 0
	options := reading.options()
	if o.On != "" {
		address, err := o.address(ctx, remote, o.On)
		if err != nil {
			return nil, nil, err
		}
		options = append(options, client.OnEndpoint(address))
	}
	switch word {
	case "member", "members":
		subject.Kind = candor.SubjectMembers
	case "request", "requests":
		subject.Kind = candor.SubjectRequests
	case "read", "reads":
		found, err := o.whyRead(ctx, remote, name)
		return found, nil, err
	default:
		_, ref, err := o.object(ctx, dutyNamed(o.Args))
		if isNode(word) && candor.ReasonOf(err) == candor.ReasonUnknownKind {
			return o.server(ctx, remote, name, err)
		}
		if err != nil {
			return nil, nil, err
		}
		subject.Ref = ref
	}
	found, err := remote.Explain.Why(ctx, subject, options...)
	switch {
	case isNode(word) && candor.ReasonOf(err) == candor.ReasonNotFound:
		return o.server(ctx, remote, name, err)
	case candor.ReasonOf(err) == candor.ReasonNotAMember:
		return nil, nil, try(err, "candor cluster members")
	case candor.ReasonOf(err) == candor.ReasonNotFound:
		return nil, nil, try(err, "candor history "+strings.Join(o.Args, " ")+"   versions of what is gone")
	case err != nil:
		return nil, nil, err
	}
	return found, o.done(ctx, remote, subject.Ref), nil
}

// splitSubject is the word of a kind and a name, from KIND NAME or KIND/NAME.
func splitSubject(args []string) (word, name string) {
	if len(args) == 2 {
		return args[0], args[1]
	}
	word, name, _ = strings.Cut(args[0], "/")
	return word, name
}

func isNode(word string) bool { return word == "node" || word == "nodes" }

// dutyNamed lets a tenure be named by its duty: control/GROUP is object control.GROUP.
func dutyNamed(args []string) []string {
	out := slices.Clone(args)
	last := len(out) - 1
	for _, lead := range []string{"tenure/", "tenures/"} {
		if group, ok := strings.CutPrefix(out[last], lead+"control/"); ok && last == 0 {
			out[last] = lead + "control." + group
		}
	}
	if group, ok := strings.CutPrefix(out[last], "control/"); ok && last == 1 && strings.HasPrefix(out[0], "tenure") {
		out[last] = "control." + group
	}
	return out
}

// server explains the reads of a member, where no worker's node is called so.
func (o *WhyOptions) server(ctx context.Context, remote *Remote, name string, notFound error) (*client.Explained, []candor.Reconciliation, error) {
	found, err := o.whyRead(ctx, remote, name)
	if err != nil {
		return nil, nil, try(notFound, "candor node list", "candor cluster members", "candor why member "+name)
	}
	o.Narrate("no worker's node is called %s; this is about the server", output.Clean(name))
	return found, nil, nil
}

// done asks who holds the controllers' duty what they last did. An explanation must not
// fail for it.
func (f *Factory) done(ctx context.Context, remote *Remote, of candor.Ref) []candor.Reconciliation {
	if of.Kind.Group() == "" {
		return nil
	}
	duties, err := remote.Tenures.Tenures(ctx, client.WithoutSession())
	if err != nil {
		return nil
	}
	for i := range duties.Tenures {
		t := &duties.Tenures[i]
		if t.Duty != dutyControllers || t.Current == nil || !t.Current.Active() || t.Current.HolderName == "" {
			continue
		}
		address, err := f.address(ctx, remote, t.Current.HolderName)
		if err != nil {
			return nil
		}
		found, err := remote.Explain.Reconciles(ctx, of, client.WithFreshness(candor.FreshnessBestEffort), client.WithoutSession(), client.OnEndpoint(address))
		if err != nil {
			return nil
		}
		return found.Reconciliations
	}
	return nil
}

const dutyControllers = "controllers"
