package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/jsonpath"
	"github.com/candor-plane/candor/cmd/candor/internal/output"
)

// WaitOptions are those of `candor wait`.
type WaitOptions struct {
	*Factory
	Selection
	Args []string
	For  string
}

// NewCmdWait returns `candor wait`.
func NewCmdWait(f *Factory, run func(context.Context, *WaitOptions) error) *cobra.Command {
	o := &WaitOptions{Factory: f}
	cmd := &cobra.Command{
		Use: "wait " + targetUse + " --for=CONDITION", Short: "Wait until something is true of objects",
		Long: `Wait until something is true of every object that is named:

  --for=create                     it is there
  --for=delete                     it is gone
  --for=condition=NAME             its condition NAME is True
  --for=condition=NAME=False       its condition NAME is False
  --for=jsonpath='{.spec.x}'=3     the value there is 3
  --for=jsonpath='{.status.x}'     there is a value

An object that is not there yet is waited for. Exit code 9: the time is over.`,
		Example: `candor wait widget web --for=condition=Ready
candor wait widget/web --for=jsonpath='{.status.phase}'=Running --timeout 2m
candor wait namespace shop --for=delete`,
		Args:              arguments(1, -1, "objects: KIND NAME or KIND/NAME"),
		ValidArgsFunction: f.completeTargets,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Args = args
			return runs(run, runWait)(cmd.Context(), o)
		},
	}
	o.register(cmd, "wait for")
	cmd.Flags().StringVar(&o.For, "for", "", "`what` to wait for (see above)")
	return remotely(cmd, flagNamespace, flagRead, flagOutput)
}

// ParseFor reads the value of --for.
func ParseFor(text string) (func(object *candor.Object) (met bool, seen string), error) {
	form, rest, _ := strings.Cut(text, "=")
	switch {
	case text == "create":
		return func(object *candor.Object) (bool, string) { return object != nil, "it does not exist" }, nil
	case text == "delete":
		return func(object *candor.Object) (bool, string) { return object == nil, "it still exists" }, nil
	case form == "condition" && rest != "":
		name, want, given := strings.Cut(rest, "=")
		if !given {
			want = "True"
		}
		return forCondition(name, want), nil
	case form == "jsonpath" && rest != "":
		return forPath(rest)
	}
	return nil, usage("--for %q: want create, delete, condition=NAME[=VALUE] or jsonpath={PATH}[=VALUE]", text)
}

func forCondition(name, want string) verdict {
	return func(object *candor.Object) (bool, string) {
		if object == nil {
			return false, "it does not exist"
		}
		for _, c := range conditionsOf(object.Status) {
			if !strings.EqualFold(c.Type, name) {
				continue
			}
			seen := fmt.Sprintf("its condition %s is %s", c.Type, c.Status)
			if c.Message != "" {
				seen += ": " + c.Message
			}
			return strings.EqualFold(c.Status, want), seen
		}
		return false, "it has no condition " + name
	}
}

// forPath reads "{.a.b}" and "{.a.b}=value", braces or not.
func forPath(text string) (verdict, error) {
	expression, want, valued := strings.Cut(text, "=")
	if strings.HasPrefix(text, "{") {
		end := strings.LastIndex(text, "}")
		if end < 0 {
			return nil, usage("--for jsonpath=%s: a '{' is not closed", text)
		}
		expression = text[:end+1]
		want, valued = strings.CutPrefix(text[end+1:], "=")
		if !valued && want != "" {
			return nil, usage("--for jsonpath=%s: want =VALUE after the path", text)
		}
	}
	path, err := jsonpath.ParsePath(expression)
	if err != nil {
		return nil, err
	}
	return func(object *candor.Object) (bool, string) {
		if object == nil {
			return false, "it does not exist"
		}
		root, err := output.Decoded(object)
		if err != nil {
			return false, err.Error()
		}
		found := path.Find(root)
		if len(found) == 0 || len(found) == 1 && found[0] == nil {
			return false, fmt.Sprintf("it has nothing at %s", path)
		}
		if !valued {
			return true, ""
		}
		var seen []string
		all := true
		for _, value := range found {
			text := jsonpath.Text(value)
			seen = append(seen, text)
			all = all && sameValue(value, text, want)
		}
		return all, fmt.Sprintf("%s is %s, not %s", path, strings.Join(seen, " "), want)
	}, nil
}

// sameValue compares text, and numbers by their value.
func sameValue(value any, text, want string) bool {
	if text == want {
		return true
	}
	number, ok := value.(json.Number)
	if !ok {
		return false
	}
	a, errA := number.Float64()
	b, errB := json.Number(want).Float64()
	return errA == nil && errB == nil && a == b
}

func runWait(ctx context.Context, o *WaitOptions) error {
	if o.For == "" {
		return usage("wait for what? --for=delete, --for=condition=NAME or --for=jsonpath={PATH}=VALUE")
	}
	is, err := ParseFor(o.For)
	if err != nil {
		return err
	}
	reading, err := o.Flags.reading()
	if err != nil {
		return err
	}
	format, err := o.Flags.format()
	if err != nil {
		return err
	}
	until := o.Now().Add(o.Flags.timeout(waitTimeout))
	targets, err := o.targets(ctx, o.Args)
	if err != nil {
		return err
	}
	if err := o.check(len(targets[0].Refs)); err != nil {
		return err
	}
	remote, err := o.Remote()
	if err != nil {
		return err
	}
	failures := outcomes{f: o.Factory}
	var objects []*candor.Object
	var last met
	several := false
	for _, target := range targets {
		refs, err := o.chosen(ctx, target, o.Selection)
		if err != nil {
			return err
		}
		several = several || len(refs) != 1 || len(targets) > 1
		for _, ref := range refs {
			found, err := awaiting{remote: remote, ref: ref, reading: reading, until: until, now: o.Now}.await(ctx, is)
			if err != nil {
				failures.refuse("wait for "+o.For+" of "+ref.String(), err)
				continue
			}
			last = found
			if found.object != nil {
				objects = append(objects, found.object)
			}
			if err := o.tellMet(format, target.Kind, ref); err != nil {
				return internal("wait", err)
			}
		}
	}
	if err := documents(format, o.Out, objects, several); err != nil {
		return internal("wait", err)
	}
	o.footMet(last)
	return failures.end()
}

func (o *WaitOptions) tellMet(format output.Format, kind Kind, ref candor.Ref) error {
	switch {
	case format.Structured():
		return nil
	case format == output.NameFormat:
		_, err := fmt.Fprintf(o.Out, "%s/%s\n", kind.singular(), ref.Name)
		return err
	}
	_, err := fmt.Fprintf(o.Out, "%s condition met\n", o.line(kind, ref))
	return err
}
