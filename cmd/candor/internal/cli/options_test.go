package cli_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

func TestGetOptionsComeFromTheCommandLine(t *testing.T) {
	f := &cli.Factory{Flags: &cli.Flags{}}
	var got *cli.GetOptions
	cmd := cli.NewCmdGet(f, func(_ context.Context, o *cli.GetOptions) error {
		got = o
		return nil
	})
	cmd.SetArgs([]string{"widget", "-l", "a=b", "--limit", "7", "--continue", "c"})
	must(t, cmd.ExecuteContext(t.Context()))
	if diff := cmp.Diff([]any{[]string{"widget"}, "a=b", uint32(7), "c"}, []any{got.Args, got.Selector, got.Limit, got.Continue}); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestIfRevisionZeroIsNotTheSameAsNone(t *testing.T) {
	for _, c := range []struct {
		args []string
		want *uint64
	}{
		{[]string{"-f", "x"}, nil}, {[]string{"-f", "x", "--if-revision", "0"}, new(uint64(0))}, {[]string{"-f", "x", "--if-revision", "9"}, new(uint64(9))},
	} {
		var got *cli.ApplyOptions
		cmd := cli.NewCmdApply(&cli.Factory{Flags: &cli.Flags{}}, func(_ context.Context, o *cli.ApplyOptions) error {
			got = o
			return nil
		})
		cmd.SetArgs(c.args)
		must(t, cmd.ExecuteContext(t.Context()))
		if diff := cmp.Diff(c.want, got.IfRevision); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.args, diff)
		}
	}
}

func TestAJoinSaysWhoJoins(t *testing.T) {
	var got *cli.ClusterJoinOptions
	cmd := cli.NewCmdClusterJoin(&cli.Factory{Flags: &cli.Flags{}}, func(_ context.Context, o *cli.ClusterJoinOptions) error {
		got = o
		return nil
	})
	cmd.SetArgs([]string{"n4", "--id", "u-4", "--raft-address", "h:1", "--api-address", "h:2"})
	must(t, cmd.ExecuteContext(t.Context()))
	if got.Request.Name != "n4" || got.Request.ServerID != "u-4" || got.Request.FeatureLevel != candor.FeatureLevel {
		t.Errorf("request %+v, want n4, u-4 and this build's feature level", got.Request)
	}
}
