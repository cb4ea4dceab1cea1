package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/manifest"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// EditOptions are those of `candor edit`.
type EditOptions struct {
	*Factory
	Args []string
}

// NewCmdEdit returns `candor edit`.
func NewCmdEdit(f *Factory, run func(context.Context, *EditOptions) error) *cobra.Command {
	o := &EditOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "edit KIND NAME", Short: "Change an object in your editor",
		Long: `Change an object in your editor: $VISUAL, $EDITOR or vi. What is refused comes
back to be corrected; an empty file, or one without a change, changes nothing.
If somebody else changed the object meanwhile, nothing is written and your text
is kept.`,
		Example:           "candor edit widget web\nEDITOR=nano candor edit widget/web",
		Args:              arguments(1, 2, "one object: KIND NAME or KIND/NAME"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runEdit)(cmd.Context(), o)
		},
	}
	return remotely(cmd, flagNamespace)
}

func runEdit(ctx context.Context, o *EditOptions) error {
	kind, ref, err := o.object(ctx, o.Args)
	if err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	live, w, err := remote.Reader.Get(ctx, ref, client.WithFreshness(candor.FreshnessStrong))
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		return try(err, "candor get "+kind.Names.Plural+inNamespace(ref.Namespace))
	}
	if err != nil {
		return err
	}
	e := editing{EditOptions: o, remote: remote, ref: ref, live: live, read: w}
	if err := e.open(); err != nil {
		return err
	}
	result, err := e.rounds(ctx)
	if err != nil || result == nil {
		return err
	}
	if _, err := fmt.Fprintf(o.Out, "%s edited\n", o.line(kind, ref)); err != nil {
		return internal("edit", err)
	}
	o.Narrate("%s", o.ErrPalette().States(output.Accepted(result.Token, result.Witness)))
	return nil
}

// editing is one object in an editor.
type editing struct {
	*EditOptions
	remote *Remote
	ref    candor.Ref
	live   *candor.Object
	read   candor.Witness
	path   string
	// before is the text that the editor got first.
	before []byte
}

func (e *editing) open() error {
	text, err := output.YAML(withoutStatus(e.live))
	if err != nil {
		return internal("edit", err)
	}
	e.before = []byte(text)
	f, err := os.CreateTemp("", "candor-"+e.ref.Kind.Plural()+"-"+e.ref.Name+"-*.yaml")
	if err != nil {
		return internal("edit", err)
	}
	e.path = f.Name()
	_, err = f.WriteString(e.header("") + text)
	return internal("edit", errors.Join(err, f.Close()))
}

func withoutStatus(o *candor.Object) *candor.Object {
	shown := *o
	shown.Status, shown.Observed = nil, nil
	return &shown
}

func (e *editing) header(refused string) string {
	lines := []string{
		"Change " + e.ref.String() + " below. Lines that begin with '#' are left out.",
		"An empty file, or one without a change, changes nothing.",
	}
	if refused != "" {
		lines = append(lines, "", "It was refused:")
		lines = append(lines, strings.Split(strings.TrimSpace(refused), "\n")...)
	}
	return "# " + strings.Join(lines, "\n# ") + "\n"
}

// rounds edits until it is written, given up, or cannot be helped. A nil result
// without an error means that nothing was to be changed.
func (e *editing) rounds(ctx context.Context) (*client.Result, error) {
	var refused []byte
	var refusal error
	for {
		if err := e.Edit(ctx, e.editor(), e.path); err != nil {
			return nil, e.kept(candor.Errorf(candor.ReasonInternal, "the editor %q ended with: %w", e.editor(), err))
		}
		text, err := os.ReadFile(e.path)
		if err != nil {
			return nil, internal("edit", err)
		}
		content := withoutComments(text)
		if len(bytes.TrimSpace(content)) == 0 || bytes.Equal(content, e.before) {
			e.Narrate("nothing was changed")
			return nil, e.discard()
		}
		if refusal != nil && bytes.Equal(content, refused) {
			e.Narrate("the text was saved again as it was refused")
			return nil, e.kept(refusal)
		}
		result, err := e.write(ctx, content)
		if err == nil {
			e.Warn(e.ref, result)
			return &result, e.discard()
		}
		if !correctable(err) {
			return nil, e.kept(err)
		}
		refused, refusal = content, err
		if err := os.WriteFile(e.path, []byte(e.header(output.Failure{Asked: "edit " + e.ref.String(), Err: err}.String())+string(content)), 0o600); err != nil {
			return nil, internal("edit", err)
		}
	}
}

// correctable is what another look at the text can help.
func correctable(err error) bool {
	switch candor.ReasonOf(err) {
	case candor.ReasonInvalid, candor.ReasonOwnerInvalid, candor.ReasonSectionForbidden, candor.ReasonTurnTooLarge, candor.ReasonUnknownKind:
		return true
	default:
		return false
	}
}

func (e *editing) write(ctx context.Context, content []byte) (client.Result, error) {
	documents, err := manifest.Parse(e.path, content)
	if err != nil {
		return client.Result{}, err
	}
	if len(documents) != 1 {
		return client.Result{}, candor.Errorf(candor.ReasonInvalid, "want one object, found %d", len(documents))
	}
	changed := documents[0].Object
	for _, fixed := range []struct{ field, was, is string }{
		{"apiVersion", e.live.APIVersion, changed.APIVersion},
		{"kind", e.live.Kind, changed.Kind},
		{"metadata.name", e.live.Metadata.Name, changed.Metadata.Name},
		{"metadata.namespace", e.live.Metadata.Namespace, changed.Metadata.Namespace},
	} {
		if fixed.was != fixed.is {
			return client.Result{}, invalidField(fixed.field, "was %q and cannot become %q: that would be another object", fixed.was, fixed.is)
		}
	}
	changed.Status, changed.Observed = nil, nil
	changed.Metadata.ResourceVersion, changed.Metadata.UID = e.live.Metadata.ResourceVersion, e.live.Metadata.UID
	return e.remote.Writer.Update(ctx, changed,
		client.WithReason("EDIT", "edited by hand"), client.WithReadToken(e.read.ServedToken))
}

func (e *editing) editor() string {
	for _, name := range []string{"VISUAL", "EDITOR"} {
		if editor := e.Getenv(name); editor != "" {
			return editor
		}
	}
	return "vi"
}

// kept says where the text is that could not be written.
func (e *editing) kept(err error) error {
	return try(err, "candor diff -f "+e.path+"    your text is kept there", "candor edit "+e.ref.String())
}

func (e *editing) discard() error { return internal("edit", os.Remove(e.path)) }

func withoutComments(text []byte) []byte {
	var kept []byte
	for line := range bytes.Lines(text) {
		if len(line) == 0 || line[0] != '#' {
			kept = append(kept, line...)
		}
	}
	return kept
}
