package cli_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

func workerOptions(t *testing.T, args ...string) (*cli.WorkerOptions, error) {
	t.Helper()
	var got *cli.WorkerOptions
	cmd := cli.NewCmdWorker(&cli.Factory{Flags: &cli.Flags{}}, func(_ context.Context, o *cli.WorkerOptions) error {
		got = o
		return nil
	})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	return got, cmd.ExecuteContext(t.Context())
}

func TestAWorkersFlagsSayWhatItsNodeIs(t *testing.T) {
	var got *cli.WorkerOptions
	cmd := cli.NewCmdWorker(&cli.Factory{Flags: &cli.Flags{}}, func(_ context.Context, o *cli.WorkerOptions) error {
		got = o
		return nil
	})
	cmd.SetArgs([]string{
		"--name", "w1", "--data-dir", "/d", "--labels", "candor/zone=a", "--taints", "gpu=yes:NoSchedule,old:NoExecute", "--cpu", "4", "--memory", "8Gi",
		"--resources", "gpu=2", "--reserve", "cpu=500m",
	})
	must(t, cmd.ExecuteContext(t.Context()))
	want := candor.Resources{{Name: "cpu", Value: 4000}, {Name: "gpu", Value: 2}, {Name: "memory", Value: 8 << 30}}
	taints := []candor.Taint{{Key: "gpu", Value: "yes", Effect: candor.NoSchedule}, {Key: "old", Effect: candor.NoExecute}}
	if diff := cmp.Diff([]any{want, taints, candor.Resources{{Name: "cpu", Value: 500}}, map[string]string{"candor/zone": "a"}},
		[]any{got.Config.Capacity, got.Config.Taints, got.Config.Reserve, got.Config.Labels}); diff != "" {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestASimulatedNodesCapacityIsItsOwn(t *testing.T) {
	got, err := workerOptions(t, "--simulate", "3", "--cpu", "2")
	must(t, err)
	if diff := cmp.Diff(candor.Resources{{Name: "cpu", Value: 2000}, {Name: "memory", Value: 64 << 30}}, got.Config.Capacity); diff != "" {
		t.Errorf("capacity (-want +got):\n%s", diff)
	}
}

func TestFlagsThatAWorkerCannotHonourAreRefused(t *testing.T) {
	for args, want := range map[string]string{
		"":                                      "a data directory is required",
		"--simulate -1":                         "want 1 or more",
		"--simulate 3 --data-dir d":             "of a real machine",
		"--data-dir d --fail-every 2":           "for --simulate",
		"--data-dir d --cpu -1":                 "negative",
		"--data-dir d --memory lots":            "no quantity",
		"--data-dir d --taints gpu:Never":       "NoSchedule",
		"--data-dir d --taints gpu":             "NoSchedule",
		"--data-dir d --labels UPPER/x!=1":      "--labels",
		"--data-dir d --reserve memory=1.0001m": "whole number",
	} {
		if _, err := workerOptions(t, strings.Fields(args)...); candor.ReasonOf(err) != candor.ReasonUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}
