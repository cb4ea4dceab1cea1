package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// RollbackOptions are those of `candor rollback`.
type RollbackOptions struct {
	*Factory
	Args       []string
	Generation uint64
}

// NewCmdRollback returns `candor rollback`.
func NewCmdRollback(f *Factory, run func(context.Context, *RollbackOptions) error) *cobra.Command {
	o := &RollbackOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "rollback workload NAME | workload/NAME", Short: "Give a workload a template back that it had",
		Long: `Give a workload the template back that it had at an older generation, from its
history: without --to-generation the newest one that was fully available, or where
none was, the newest that differs. Replicas and the update strategy stay as they are,
and it goes out as every change does.

"candor history workload NAME --fields" shows what each generation changed.`,
		Example:           "candor rollback workload/web\ncandor rollback workload web --to-generation 3",
		Args:              arguments(1, 2, "one workload: workload NAME or workload/NAME"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runRollback)(cmd.Context(), o)
		},
	}
	cmd.Flags().Uint64Var(&o.Generation, "to-generation", 0, "the `generation` whose template is to be back")
	return remotely(cmd, flagNamespace, flagOutput)
}

func runRollback(ctx context.Context, o *RollbackOptions) error {
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	kind, ref, err := o.object(ctx, o.Args)
	if err != nil {
		return err
	}
	if ref.Kind != candor.KindWorkloads {
		return usage("workloads are rolled back, objects of kind %s are not", kind.Names.Kind)
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	h, err := remote.Reader.History(ctx, ref)
	if err != nil {
		return err
	}
	to, err := pastTemplate(ref, h, o.Generation)
	if err != nil {
		return try(err, "candor history "+kind.singular()+" "+ref.Name+inNamespace(ref.Namespace)+" --fields")
	}
	generation := to.Object.Metadata.Generation
	r := revising{
		Factory: o.Factory, remote: remote, ref: ref,
		options: []client.WriteOption{
			client.WithReason("ROLLED_BACK", fmt.Sprintf("the template of generation %d", generation)),
			client.WithBecause(candor.VersionRef{Ref: ref, Revision: to.Revision}),
		},
		change: func(_ *candor.Object, spec map[string]json.RawMessage) (bool, error) {
			was := spec["template"]
			spec["template"] = templateOf(to.Object)
			return !sameDocument(was, spec["template"]), nil
		},
	}
	came, err := r.run(ctx)
	if err != nil {
		return err
	}
	switch {
	case format.Structured():
		err = format.Document(o.Out, came.object)
	case format == output.NameFormat:
		_, err = fmt.Fprintf(o.Out, "%s/%s\n", kind.singular(), ref.Name)
	case !came.changed:
		_, err = fmt.Fprintf(o.Out, "%s has the template of generation %d already\n", o.line(kind, ref), generation)
	default:
		_, err = fmt.Fprintf(o.Out, "%s rolled back to the template of generation %d\n", o.line(kind, ref), generation)
	}
	if err != nil {
		return internal("rollback", err)
	}
	if came.changed {
		o.Narrate("%s", o.ErrPalette().States(output.Accepted(came.result.Token, came.result.Witness)))
	}
	return nil
}

// pastTemplate is the version whose template is to be back.
func pastTemplate(ref candor.Ref, h *client.History, generation uint64) (*client.Version, error) {
	if len(h.Versions) == 0 || h.Versions[0].Deleted || h.Versions[0].Object == nil {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: ref.String() + " does not exist"}
	}
	now := h.Versions[0].Object
	uid := now.Metadata.UID
	stable := uint64(0)
	if generation == 0 {
		var status candor.WorkloadStatus
		if json.Unmarshal(now.Status, &status) == nil {
			stable = status.StableGeneration
		}
	}
	var differs *client.Version
	var kept []uint64
	for i := range h.Versions {
		v := &h.Versions[i]
		if v.Deleted || v.Object == nil || v.Object.Metadata.UID != uid {
			break // another object had the name before
		}
		at := v.Object.Metadata.Generation
		if !slices.Contains(kept, at) {
			kept = append(kept, at)
		}
		other := !sameDocument(templateOf(v.Object), templateOf(now))
		switch {
		case generation != 0 && at == generation, stable != 0 && at == stable && other:
			return v, nil
		case differs == nil && other:
			differs = v
		}
	}
	if generation == 0 && differs != nil {
		return differs, nil
	}
	texts := make([]string, len(kept))
	for i, g := range kept {
		texts[i] = count(g)
	}
	message := fmt.Sprintf("generation %d of %s is not kept; there are generations %s", generation, ref, strings.Join(texts, ", "))
	if generation == 0 {
		message = fmt.Sprintf("no version of %s that is kept has another template; there are generations %s", ref, strings.Join(texts, ", "))
	}
	if h.Floor > 0 {
		message += fmt.Sprintf(", and what is older than revision %d may be compacted", h.Floor)
	}
	return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: message}
}

func templateOf(o *candor.Object) json.RawMessage {
	var spec struct {
		Template json.RawMessage `json:"template"`
	}
	if json.Unmarshal(o.Spec, &spec) != nil {
		return nil
	}
	return spec.Template
}

// sameDocument compares two JSON values by meaning.
func sameDocument(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	return len(candor.FieldChanges(&candor.Object{Spec: a}, &candor.Object{Spec: b})) == 0
}
