package stage

import (
	"context"
	"slices"
	"syscall"
	"testing"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/scenario"
)

// controlled is a cluster as `candor dev` has it, of a stage's servers.
type controlled struct{ *Stage }

func (c controlled) Do(ctx context.Context, verb, node string) ([]string, error) {
	if verb == "list" {
		var lines []string
		for _, m := range c.current() {
			word := "running"
			if m.running() == nil {
				word = "down"
			}
			lines = append(lines, m.name()+"\t"+word+"\tapi "+m.server.API+"\tdebug \tpid 1")
		}
		return append(lines, "w1\trunning\tworker\tdata /"), nil
	}
	m := c.named(node)
	switch verb {
	case "kill":
		m.kill()
		return nil, nil
	case "stop":
		return nil, m.stop(ctx)
	case "start":
		return nil, c.begin(m)
	}
	run, err := m.alive()
	if err != nil {
		return nil, err
	}
	return nil, run.Signal(map[string]syscall.Signal{"pause": syscall.SIGSTOP, "resume": syscall.SIGCONT}[verb])
}

func TestAClusterOfDevIsHarmedAndStays(t *testing.T) {
	x := begin(t, scenario.Cluster{}, network.Proxies)
	d, err := Dev(x.ctx, DevOptions{Control: controlled{x.Stage}, Logger: hclog.NewNullLogger()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if !slices.Equal(d.Servers(), x.Servers()) || d.Endpoint("n2") != x.Endpoint("n2") {
		t.Errorf("servers %v at %v", d.Servers(), d.apis)
	}
	if err := d.Able(&scenario.Fault{Kind: scenario.HangDisk}); candor.ReasonOf(err) != candor.ReasonUnimplemented {
		t.Errorf("a disk that hangs: %v, want UNIMPLEMENTED", err)
	}
	for _, f := range []scenario.Fault{
		{Kind: scenario.Kill, For: second}, {Kind: scenario.Stop, For: second}, {Kind: scenario.Pause, For: second}, {Kind: scenario.Restart},
		{Kind: scenario.Transfer}, {Kind: scenario.Move, Duty: "ids"}, {Kind: scenario.Storm, Count: 10, For: second},
		{Kind: scenario.Sleeper, Count: 3, For: second}, {Kind: scenario.Malformed, Count: 11},
	} {
		i, err := d.Inject(x.ctx, &f, []string{x.leads()})
		if err != nil {
			t.Fatalf("%s: %v", f.Kind, err)
		}
		x.goesOn()
		if i.Bite().Seen == 0 {
			t.Errorf("%s did not bite", f.Kind)
		}
		if err := i.Heal(x.ctx); err != nil {
			t.Fatalf("%s: %v", f.Kind, err)
		}
		x.goesOn()
	}
	if ended := d.Ended(); len(ended) != 0 {
		t.Errorf("%+v ended by themselves", ended)
	}
	x.named("n3").kill()
	for range 2 {
		if ended := d.Ended(); len(ended) != 1 || ended[0].Server != "n3" || ended[0].At.IsZero() {
			t.Errorf("n3 ended, and the stage says %+v", ended)
		}
	}
	if err := x.begin(x.named("n3")); err != nil {
		t.Fatal(err)
	}
	kept := scenario.Fault{Kind: scenario.Pause, For: second}
	if _, err := d.Inject(x.ctx, &kept, []string{"n1"}); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	x.isWell()
}
