package stage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/scenario"
)

func TestServersThatAreKilledStoppedAndPausedComeBack(t *testing.T) {
	x := begin(t, scenario.Cluster{}, "")
	for _, kind := range []scenario.Kind{scenario.Kill, scenario.Stop, scenario.Pause} {
		i := x.inject(scenario.Fault{Kind: kind, For: second}, x.leads())
		x.bites(i)
		x.goesOn()
		x.heals(i)
	}
	x.heals(x.inject(scenario.Fault{Kind: scenario.Restart}, x.Servers()...))
	was := x.leads()
	x.heals(x.inject(scenario.Fault{Kind: scenario.Transfer}))
	if is := x.leads(); is == was {
		t.Errorf("%s leads as before", is)
	}
	x.inject(scenario.Fault{Kind: scenario.Transfer, To: was})
	if is := x.leads(); is != was {
		t.Errorf("%s leads, want %s", is, was)
	}
	x.bites(x.inject(scenario.Fault{Kind: scenario.Move, Duty: "tso"}))
	x.wantEnded()
	x.inject(scenario.Fault{Kind: scenario.Kill}, x.follower())
	x.goesOn()
	x.wantEnded()
}

func TestLinksAreCutAndShaped(t *testing.T) {
	t.Parallel()
	for _, layer := range []network.Layer{network.Namespaces, network.Proxies} {
		t.Run(string(layer), func(t *testing.T) {
			x := begin(t, scenario.Cluster{}, layer)
			leader := x.leads()
			for _, shape := range []scenario.Shape{scenario.Isolated, scenario.Mute} {
				i := x.inject(scenario.Fault{Kind: scenario.Partition, Shape: shape, For: second}, leader)
				x.bites(i)
				x.goesOn()
				x.heals(i)
			}
			i := x.inject(scenario.Fault{Kind: scenario.Link, Delay: scenario.Duration(20 * time.Millisecond), For: second}, x.leads())
			x.bites(i)
			x.heals(i)
			x.wantEnded()
		})
	}
}

func TestDisksThatAreSlowHangAndFailOverProxies(t *testing.T) {
	slow := scenario.Fault{Kind: scenario.SlowDisk, For: second, Delay: scenario.Duration(30 * time.Millisecond)}
	hang := scenario.Fault{Kind: scenario.HangDisk, For: 3 * second}
	fail := scenario.Fault{Kind: scenario.FailDisk}
	x := begin(t, scenario.Cluster{Flags: map[string]string{"watchdog": "1s"}}, network.Proxies, slow, hang, fail)
	i := x.inject(slow, x.Servers()...)
	x.bites(i)
	x.goesOn()
	x.heals(i)
	x.wantEnded()
	i = x.inject(hang, x.leads())
	x.bites(i)
	x.goesOn()
	if err := await(x.ctx, "the watchdog", func(context.Context) (bool, error) { return len(x.Ended()) == 1, nil }); err != nil {
		t.Fatal(err)
	}
	x.heals(i)
	x.wantEnded(candor.ReasonDiskFailed)
	x.heals(x.inject(fail, x.leads()))
	x.wantEnded(candor.ReasonDiskFailed, candor.ReasonDiskFailed)
}

func TestADiskThatIsFullIsNoticedAndEmptied(t *testing.T) {
	full := scenario.Fault{Kind: scenario.FullDisk, For: second}
	x := begin(t, scenario.Cluster{}, "", full)
	i := x.inject(full, x.follower())
	x.bites(i)
	x.goesOn()
	x.heals(i)
	x.wantEnded()
}

func TestDamageIsRepairedOrRefusedAndTheServerReplaced(t *testing.T) {
	x := begin(t, scenario.Cluster{Flags: map[string]string{"snapshot-bytes": "4096"}}, "")
	x.heals(x.bitten(scenario.Fault{Kind: scenario.Damage, What: scenario.DamageTail}, x.follower()))
	x.wantEnded()
	x.heals(x.bitten(scenario.Fault{Kind: scenario.Damage, What: scenario.DamageLog}, x.leads()))
	x.wantEnded(candor.ReasonDataCorrupt)
	name := x.follower()
	if err := await(x.ctx, "a snapshot", func(ctx context.Context) (bool, error) {
		report, err := x.k.Diagnostics(x.Endpoint(name)).Node(ctx)
		return err == nil && report.SnapshotIndex > 0, err
	}); err != nil {
		t.Fatal(err)
	}
	x.heals(x.bitten(scenario.Fault{Kind: scenario.Damage, What: scenario.DamageSnapshot}, name))
	x.heals(x.bitten(scenario.Fault{Kind: scenario.Wipe}, x.follower()))
}

// bitten is a fault of a moment that bit.
func (x *scene) bitten(f scenario.Fault, targets ...string) drill.Injection {
	x.t.Helper()
	i := x.inject(f, targets...)
	if i.Bite().Seen == 0 {
		x.t.Fatalf("%s %s did not bite: %+v", f.Kind, f.What, i.Bite())
	}
	return i
}

func TestMembersAreAddedReplacedAndRemoved(t *testing.T) {
	x := begin(t, scenario.Cluster{}, "")
	x.heals(x.bitten(scenario.Fault{Kind: scenario.Add}))
	x.heals(x.bitten(scenario.Fault{Kind: scenario.Replace}, x.leads()))
	x.heals(x.bitten(scenario.Fault{Kind: scenario.Remove}, x.follower()))
	if n := len(x.Servers()); n != 3 {
		t.Errorf("servers %v: want three", x.Servers())
	}
	told, err := x.k.Cluster().Members(x.ctx)
	if err != nil || len(told.Members) != 3 {
		t.Errorf("members %+v, %v: want three", told, err)
	}
	x.wantEnded()
}

func TestAClusterOfTheReleaseBeforeIsUpgraded(t *testing.T) {
	up := scenario.Fault{Kind: scenario.Upgrade}
	x := begin(t, scenario.Cluster{Previous: true}, "", up)
	x.heals(x.bitten(up))
	x.wantEnded()
}

func TestClocksAreSetOffWhereTheBinaryHasFailpoints(t *testing.T) {
	jump := scenario.Fault{Kind: scenario.Clock, Offset: scenario.Duration(time.Hour), For: second}
	freeze := scenario.Fault{Kind: scenario.Clock, Freeze: true, For: second}
	x := begin(t, scenario.Cluster{}, "", jump, freeze)
	for _, f := range []scenario.Fault{jump, freeze} {
		i := x.inject(f, x.leads())
		x.bites(i)
		x.heals(i)
	}
	x.wantEnded()
}

func TestClientsThatDoNotBehaveAreBorne(t *testing.T) {
	silent := scenario.Fault{Kind: scenario.SilentLog, For: second}
	x := begin(t, scenario.Cluster{}, "", silent)
	leader := x.leads()
	storm := x.inject(scenario.Fault{Kind: scenario.Storm, Count: 300, For: second}, leader)
	x.bites(storm)
	x.goesOn()
	x.heals(storm)
	sleeping := x.inject(scenario.Fault{Kind: scenario.Sleeper, Count: 20, For: second}, leader)
	x.bites(sleeping)
	x.goesOn()
	x.heals(sleeping)
	i := x.inject(scenario.Fault{Kind: scenario.Malformed, Count: 22}, x.Servers()...)
	if seen := i.Bite().Seen; seen != 22 {
		t.Errorf("%d of 22 malformed requests were refused", seen)
	}
	x.goesOn()
	quiet := x.inject(silent, x.Servers()...)
	x.bites(quiet)
	x.heals(quiet)
	x.wantEnded()
}

func TestNodesAreLostAndComeBack(t *testing.T) {
	lose := scenario.Fault{Kind: scenario.LoseNodes, Count: 2, For: second}
	x := begin(t, scenario.Cluster{Nodes: 5}, "", lose)
	i := x.inject(lose)
	if err := await(x.ctx, "the cluster to take them for lost", func(ctx context.Context) (bool, error) {
		return x.silent(ctx, x.fleets[:1]) == 2, nil
	}); err != nil {
		t.Fatal(err)
	}
	x.heals(i)
	if seen := i.Bite().Seen; seen != 2 {
		t.Errorf("%d nodes were taken for lost, want 2", seen)
	}
}

// TestNodesThatAreSilentForLessThanIsNoticedAreNotLost: the fault did not bite.
func TestNodesThatAreSilentForLessThanIsNoticedAreNotLost(t *testing.T) {
	lose := scenario.Fault{Kind: scenario.LoseNodes, Count: 2, For: second}
	x := begin(t, scenario.Cluster{Nodes: 5}, "", lose)
	i := x.inject(lose)
	x.heals(i)
	if seen := i.Bite().Seen; seen != 2 {
		t.Errorf("%d nodes stood still, want 2", seen)
	}
	if lost := x.silent(x.ctx, x.fleets); lost != 0 {
		t.Errorf("%d nodes were taken for lost, want 0", lost)
	}
}

func TestWhatABinaryOrAStageCannotDoIsSaid(t *testing.T) {
	s := &Stage{options: Options{Scenario: &scenario.Scenario{}}, refused: map[scenario.Kind]error{scenario.Clock: unable("no")}}
	for _, f := range []scenario.Fault{{Kind: scenario.Clock}, {Kind: scenario.HangDisk}, {Kind: scenario.Upgrade}, {Kind: scenario.EndInstances}, {Kind: scenario.FailProbes}, {Kind: "RUST"}} {
		if err := s.Able(&f); candor.ReasonOf(err) != candor.ReasonUnimplemented {
			t.Errorf("%s: %v, want UNIMPLEMENTED", f.Kind, err)
		}
	}
}

// TestNothingOutlivesADrillThatIsKilled: neither a process nor a directory.
func TestNothingOutlivesADrillThatIsKilled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	holder := exec.CommandContext(ctx, self(t)[0])
	holder.Env = append(os.Environ(), roleVariable+"="+binary)
	holder.Stderr = os.Stderr
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	dir, err := bufio.NewReader(out).ReadString('\n')
	dir = strings.TrimSpace(dir)
	had, ran := processesOf(dir), commandsOf(holder.Process.Pid)
	_ = holder.Process.Kill()
	_ = holder.Wait()
	if err != nil || !strings.Contains(dir, "candor-drill-") || len(had) < 2 || len(ran) < 2 {
		t.Fatalf("%q, %v, processes %v, commands %v", dir, err, had, ran)
	}
	if err := await(ctx, "the end of "+dir, func(context.Context) (bool, error) {
		_, err := os.Stat(dir)
		return os.IsNotExist(err) && len(processesOf(dir)) == 0 && len(commandsOf(holder.Process.Pid)) == 0, nil
	}); err != nil {
		t.Errorf("%v: %v, commands %v", err, processesOf(dir), commandsOf(holder.Process.Pid))
	}
}

// holdStage is the child: it begins a stage, says where, and stays.
func holdStage(binary string) int {
	path, err := os.Executable()
	if err != nil {
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	full := scenario.Fault{Kind: scenario.FullDisk, For: second}
	s, err := New(ctx, Options{
		Binary: binary, Scenario: &scenario.Scenario{Name: "held", Cluster: scenario.Cluster{Servers: 1, Workers: 1}, Faults: []scenario.Fault{full, {Kind: scenario.HangDisk}}},
		Child: []string{path, ChildArgument}, Logger: hclog.NewNullLogger(),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.data.Path)
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = s.Close()
	return 0
}
