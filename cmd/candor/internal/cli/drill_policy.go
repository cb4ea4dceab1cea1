package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/manifest"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/generate"
	"github.com/candor-plane/candor/drill/policy"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/drill/scenario"
)

// policyFlags say which failure policy a drill is made of.
type policyFlags struct{ Policy, PolicyFile string }

func (p *policyFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&p.Policy, "policy", "", "a drill of the failure policy of this `name`, as the cluster has it")
	flags.StringVar(&p.PolicyFile, "policy-file", "", "a drill of the failure policy in this `file`; --policy says which, of several")
}

func (p *policyFlags) given() bool { return p.Policy != "" || p.PolicyFile != "" }

// wants is a scenario or a policy, and not both.
func (p *policyFlags) wants(args []string) error {
	if p.given() == (len(args) == 1) {
		return usage("want the name or file of a scenario, or else --policy or --policy-file")
	}
	return nil
}

// scenario is the drill of the policy.
func (p *policyFlags) scenario(ctx context.Context, f *Factory) (*scenario.Scenario, error) {
	object, err := p.object(ctx, f)
	if err != nil {
		return nil, err
	}
	spec, name := new(candor.FailurePolicySpec), object.Metadata.Name
	strict := json.NewDecoder(bytes.NewReader(object.Spec))
	strict.DisallowUnknownFields()
	if err := strict.Decode(spec); err != nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "failure policy %s does not read: %v", name, err)
	}
	return generate.ForPolicy(name, spec)
}

func (p *policyFlags) object(ctx context.Context, f *Factory) (*candor.Object, error) {
	if p.PolicyFile != "" {
		return p.inFile()
	}
	remote, err := f.Remote()
	if err != nil {
		return nil, err
	}
	object, _, err := remote.Reader.Get(ctx, candor.Ref{Kind: candor.KindFailurePolicies, Name: p.Policy}, client.WithFreshness(candor.FreshnessStrong))
	if candor.ReasonOf(err) == candor.ReasonNotFound {
		err = try(err, "candor get failurepolicies")
	}
	return object, err
}

// inFile is the file's one policy, or the one of the name.
func (p *policyFlags) inFile() (*candor.Object, error) {
	text, err := os.ReadFile(p.PolicyFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: p.PolicyFile, Message: "there is no file " + p.PolicyFile}
	}
	if err != nil {
		return nil, internal("drill", err)
	}
	documents, err := manifest.Parse(p.PolicyFile, text)
	if err != nil {
		return nil, err
	}
	var found []*candor.Object
	for i := range documents {
		if o := documents[i].Object; o.Kind == "FailurePolicy" && (p.Policy == "" || o.Metadata.Name == p.Policy) {
			found = append(found, o)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case p.Policy != "":
		return nil, &candor.Error{Reason: candor.ReasonNotFound, Subject: p.Policy, Message: fmt.Sprintf("%s has %d failure policies of the name %s: want one", p.PolicyFile, len(found), p.Policy)}
	default:
		return nil, usage("%s has %d failure policies: want one, or say which with --policy", p.PolicyFile, len(found))
	}
}

// scenarioFile is the scenario of a policy, in the account.
const scenarioFile = "scenario.yaml"

// ofPolicy makes the drill of the policy and writes it into the account, by which it can be
// run again whatever becomes of the policy.
func (o *DrillRunOptions) ofPolicy(ctx context.Context) (*scenario.Scenario, error) {
	s, err := o.scenario(ctx, o.Factory)
	if err != nil {
		return nil, err
	}
	text, err := generate.Text(s)
	if err != nil {
		return nil, err
	}
	if o.Account == "" {
		o.Account = "drill-" + s.Name
	}
	o.Scenario = filepath.Join(o.Account, scenarioFile)
	if err := errors.Join(os.MkdirAll(o.Account, 0o750), os.WriteFile(o.Scenario, text, 0o640)); err != nil { //nolint:gosec // an account is read by whoever may
		return nil, internal("drill run", err)
	}
	return s, nil
}

// line is this command line as another process is given it: a policy is in a file by then,
// which needs no cluster.
func (o *DrillRunOptions) line() []string {
	if !o.given() {
		return os.Args[1:]
	}
	line := []string{"drill", "run", o.Scenario, "--seed", fmt.Sprint(o.Seed), "--out", o.Account}
	for _, flag := range []struct{ name, value string }{{"--binary", o.Binary}, {"--previous", o.Previous}, {"--links", o.Links}, {"--output", o.Flags.Output}, {"--color", o.Flags.Color}} {
		if flag.value != "" {
			line = append(line, flag.name, flag.value)
		}
	}
	return line
}

// drilled runs the drill; where its nodes, or what its workers run, are under a policy, they
// are held against that.
func (o *DrillRunOptions) drilled(ctx context.Context, st drill.Stage, options drill.Options) (outcome *drill.Outcome, err error) {
	cluster := &options.Scenario.Cluster
	if cluster.Policy == nil {
		return drill.Run(ctx, options)
	}
	for i := range options.Scenario.Faults {
		if err := st.Able(&options.Scenario.Faults[i]); err != nil {
			return nil, err
		}
	}
	watcher, err := policy.Watch(ctx, st, cluster)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, watcher.Close()) }()
	if outcome, err = drill.Run(ctx, options); outcome != nil {
		watcher.Judge(ctx, outcome)
	}
	if outcome != nil && o.given() {
		outcome.Report.Files = append(outcome.Report.Files, report.File{Name: scenarioFile, What: "the drill that was made of the policy"})
	}
	return outcome, err
}
