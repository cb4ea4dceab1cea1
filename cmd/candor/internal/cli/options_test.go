package cli_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
	"github.com/candor-plane/candor/server"
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

func TestAServerIsToldItsDuties(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  string
		want []string
	}{
		"all": {nil, "", server.DutyNames()}, "some": {[]string{"--duties", "tso,ids"}, "", []string{"tso", "ids"}},
		"none": {[]string{"--duties", "none"}, "", []string{}}, "an empty list": {[]string{"--duties="}, "", []string{}},
		"none by environment": {nil, "none", []string{}}, "the flag wins": {[]string{"--duties", "ids"}, "none", []string{"ids"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got *cli.ServerOptions
			f := &cli.Factory{Flags: &cli.Flags{}, Getenv: func(name string) string { return map[string]string{"CANDOR_DUTIES": c.env}[name] }}
			cmd := cli.NewCmdServer(f, func(_ context.Context, o *cli.ServerOptions) error {
				got = o
				return nil
			})
			cmd.SetArgs(append([]string{"--data", "x", "--tenure-duration", "5s"}, c.args...))
			must(t, cmd.ExecuteContext(t.Context()))
			if diff := cmp.Diff(c.want, got.Config.Duties); diff != "" || got.Config.Duties == nil {
				t.Errorf("duties (-want +got):\n%s", diff)
			}
			if x := got.Config.Tenures; x.Duration != 5*time.Second || x.Renew != time.Second || x.Grace == 0 {
				t.Errorf("tenures %+v: want 5s, and the rest as it was", x)
			}
		})
	}
}

func TestAReplacementSaysWhoGoesAndWhoComes(t *testing.T) {
	var got *cli.ClusterReplaceOptions
	cmd := cli.NewCmdClusterReplace(&cli.Factory{Flags: &cli.Flags{}}, func(_ context.Context, o *cli.ClusterReplaceOptions) error {
		got = o
		return nil
	})
	cmd.SetArgs([]string{"n3", "n6", "--force", "--if-configuration", "7"})
	must(t, cmd.ExecuteContext(t.Context()))
	if got.Old != "n3" || got.New != "n6" || !got.Replace.Force || got.Replace.ExpectedConfiguration != 7 {
		t.Errorf("options %+v", got)
	}
}
