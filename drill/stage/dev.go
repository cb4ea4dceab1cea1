package stage

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill"
	"github.com/candor-plane/candor/drill/scenario"
	"github.com/candor-plane/candor/drill/stage/crowd"
)

// Control is a cluster that `candor dev` runs.
type Control interface {
	// Do kills, starts, stops, pauses or resumes a server, or lists all that there is: a line
	// each, of the name, a word for how it is (running, paused, down), and what else is to
	// be said, such as "api HOST:PORT" of servers, all separated by tabs.
	Do(ctx context.Context, verb, node string) (lines []string, err error)
}

// DevOptions are those of Dev. Control and Logger are required.
type DevOptions struct {
	Control Control
	// Client makes a client of what it is given, and adds its certificates; nil has none.
	Client func(client.Config) (*client.Client, error)
	Logger hclog.Logger
}

// DevCluster is a stage on a cluster that `candor dev` runs, and that stays when the
// stage is closed.
type DevCluster struct {
	options DevOptions
	own     *client.Client
	names   []string
	apis    map[string]string
	ctx     context.Context //nolint:containedctx // ends with the stage, for what lasts as long
	cancel  context.CancelFunc

	mu      sync.Mutex
	lasting []*injection
	absent  absences

	once   sync.Once
	closed error
}

var _ drill.Stage = (*DevCluster)(nil)

// Dev is a stage on the cluster. UNAVAILABLE where it does not run whole.
func Dev(ctx context.Context, o DevOptions) (*DevCluster, error) {
	if o.Control == nil || o.Logger == nil {
		panic("stage: control and logger are required")
	}
	if o.Client == nil {
		o.Client = client.New
	}
	d := &DevCluster{options: o, apis: map[string]string{}, absent: absences{away: map[string]int{}, gone: map[string]bool{}}}
	lines, err := o.Control.Do(ctx, "list", "")
	if err != nil {
		return nil, candor.Wrap("begin a stage", err)
	}
	for _, line := range lines {
		words := strings.Split(line, "\t")
		for _, word := range words {
			if api, ok := strings.CutPrefix(word, "api "); ok {
				d.names, d.apis[words[0]] = append(d.names, words[0]), api
			}
		}
		if len(words) > 1 && words[1] != "running" {
			return nil, candor.Errorf(candor.ReasonUnavailable, "%s is %s: begin a drill with all servers running (candor dev start %s)", words[0], words[1], words[0])
		}
	}
	if len(d.names) == 0 {
		return nil, candor.Errorf(candor.ReasonUnavailable, "the cluster has no servers")
	}
	if d.own, err = d.Client(); err != nil {
		return nil, candor.Wrap("begin a stage", err)
	}
	d.ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return d, nil
}

// devMakings has what can be done to such a cluster.
var devMakings = map[scenario.Kind]func(d *DevCluster, ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error){
	scenario.Kill: func(d *DevCluster, ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
		return d.away(ctx, f, "kill", "start", "servers killed", targets)
	},
	scenario.Stop: func(d *DevCluster, ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
		return d.away(ctx, f, "stop", "start", "servers stopped", targets)
	},
	scenario.Pause: func(d *DevCluster, ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
		return d.away(ctx, f, "pause", "resume", "servers stopped with SIGSTOP", targets)
	},
	scenario.Restart:   (*DevCluster).restart,
	scenario.Transfer:  (*DevCluster).transfer,
	scenario.Move:      (*DevCluster).move,
	scenario.Storm:     (*DevCluster).storm,
	scenario.Sleeper:   (*DevCluster).sleeper,
	scenario.Malformed: (*DevCluster).malformed,
}

// Layer is "dev".
func (d *DevCluster) Layer() string { return "dev" }

// Able says whether a fault can be made: UNIMPLEMENTED where it takes servers that a
// stage began.
func (d *DevCluster) Able(f *scenario.Fault) error {
	if devMakings[f.Kind] == nil {
		return unable("%s cannot be done to a cluster of candor dev: leave --dev away, and the drill begins servers of its own", f.Kind)
	}
	return nil
}

// Servers of the cluster.
func (d *DevCluster) Servers() []string { return slices.Clone(d.names) }

// Endpoint is a server's API address; empty where there is none.
func (d *DevCluster) Endpoint(server string) string { return d.apis[server] }

// Client returns a new client.
func (d *DevCluster) Client(servers ...string) (*client.Client, error) {
	if len(servers) == 0 {
		return d.ClientAs("drill")
	}
	addresses, err := d.addresses(servers)
	if err != nil {
		return nil, err
	}
	return d.options.Client(client.Config{
		Endpoints: addresses, Actor: "drill",
		Dialer: confined(addresses, func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}),
	})
}

// ClientAs returns one in the name of an actor, unless a token or a certificate says who
// the drill is.
func (d *DevCluster) ClientAs(actor string) (*client.Client, error) {
	addresses, err := d.addresses(d.names)
	if err != nil {
		return nil, err
	}
	return d.options.Client(client.Config{Endpoints: addresses, Actor: actor})
}

func (d *DevCluster) addresses(servers []string) ([]string, error) {
	var out []string
	for _, name := range servers {
		if d.apis[name] == "" {
			return nil, candor.Errorf(candor.ReasonNotFound, "there is no server %q: there are %v", name, d.names)
		}
		out = append(out, d.apis[name])
	}
	return out, nil
}

// Inject begins a fault.
func (d *DevCluster) Inject(ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
	if err := d.Able(f); err != nil {
		return nil, err
	}
	if _, err := d.addresses(targets); err != nil {
		return nil, err
	}
	i, err := devMakings[f.Kind](d, ctx, f, targets)
	return i, candor.Wrap(string(f.Kind), err)
}

// healPatience is how long servers may take to come back at the end.
const healPatience = 30 * time.Second

// Close heals what lasts, and leaves the cluster. It may be called again.
func (d *DevCluster) Close() error {
	d.once.Do(func() {
		d.mu.Lock()
		lasting := d.lasting
		d.mu.Unlock()
		var failed []error
		healing, stop := context.WithTimeout(d.ctx, healPatience)
		defer stop()
		for _, i := range lasting {
			failed = append(failed, i.Heal(healing))
		}
		d.cancel()
		d.closed = errors.Join(append(failed, d.own.Close())...)
	})
	return d.closed
}

func (d *DevCluster) lasts(bite func() drill.Bite, heal func(context.Context) error) *injection {
	i := lasting(bite, heal)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lasting = append(d.lasting, i)
	return i
}

// away takes the targets away, and brings them back after f.For, unless that is 0.
func (d *DevCluster) away(ctx context.Context, f *scenario.Fault, verb, undo, what string, targets []string) (drill.Injection, error) {
	var back sync.Once
	heal := func(ctx context.Context) error {
		for _, name := range targets {
			_, err := d.options.Control.Do(ctx, undo, name)
			// Somebody else may have brought it back.
			if err != nil && candor.ReasonOf(d.answers(ctx, name)) != "" {
				return err
			}
		}
		for _, name := range targets {
			if err := d.answers(ctx, name); err != nil {
				return err
			}
		}
		back.Do(func() { d.takes(-1, targets...) })
		return nil
	}
	d.takes(1, targets...)
	seen := 0
	for _, name := range targets {
		if _, err := d.options.Control.Do(ctx, verb, name); err != nil {
			return nil, errors.Join(err, heal(ctx))
		}
		seen++
	}
	if f.For == 0 {
		return over(seen, what), nil
	}
	return d.lasts(func() drill.Bite { return drill.Bite{Seen: seen, What: what} }, heal), nil
}

func (d *DevCluster) restart(ctx context.Context, _ *scenario.Fault, targets []string) (drill.Injection, error) {
	d.takes(1, targets...)
	defer d.takes(-1, targets...)
	for _, name := range targets {
		for _, verb := range []string{"stop", "start"} {
			if _, err := d.options.Control.Do(ctx, verb, name); err != nil {
				return nil, err
			}
		}
		var target uint64
		if err := await(ctx, name+" to catch up", func(ctx context.Context) (bool, error) {
			if target == 0 {
				status, err := d.own.Cluster().Status(ctx, client.WithoutSession())
				if err != nil || status.Leader == nil {
					return false, err
				}
				target = status.CommitIndex
			}
			mine, err := d.own.Cluster().Status(ctx, client.OnEndpoint(d.apis[name]), client.WithoutSession())
			return err == nil && mine.Leader != nil && mine.Applied.Index >= target, err
		}); err != nil {
			return nil, err
		}
	}
	return over(len(targets), "servers restarted"), nil
}

func (d *DevCluster) answers(ctx context.Context, name string) error {
	return await(ctx, name+" to answer", func(ctx context.Context) (bool, error) {
		_, err := d.own.Cluster().Status(ctx, client.OnEndpoint(d.apis[name]), client.WithoutSession())
		return err == nil, err
	})
}

func (d *DevCluster) transfer(ctx context.Context, f *scenario.Fault, _ []string) (drill.Injection, error) {
	to, _, _ := strings.Cut(f.To, ",")
	if _, err := d.own.Cluster().TransferLeader(ctx, to); err != nil {
		return nil, err
	}
	return over(1, "leaders changed"), nil
}

func (d *DevCluster) move(ctx context.Context, f *scenario.Fault, _ []string) (drill.Injection, error) {
	to, _, _ := strings.Cut(f.To, ",")
	from, err := holderOf(ctx, d.own, f.Duty)
	if err != nil {
		return nil, err
	}
	for _, name := range d.names {
		if to == "" && name != from {
			to = name
		}
	}
	if to == from {
		return over(0, "duties moved: "+f.Duty+" is held by "+from+" already"), nil
	}
	if _, err := d.own.TransferTenure(ctx, f.Duty, to); err != nil {
		return nil, err
	}
	return over(1, "duties moved"), nil
}

func (d *DevCluster) crowd() *crowd.Crowd {
	return &crowd.Crowd{
		Context: d.ctx,
		Dial: func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
	}
}

func (d *DevCluster) storm(ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
	addresses, err := d.addresses(targets)
	if err != nil {
		return nil, err
	}
	bite, end, err := d.crowd().Storm(ctx, f.Count, addresses)
	if err != nil {
		return nil, err
	}
	return d.lasts(bite, end), nil
}

func (d *DevCluster) sleeper(ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
	addresses, err := d.addresses(targets)
	if err != nil {
		return nil, err
	}
	bite, end, err := d.crowd().Sleep(ctx, f.Count, addresses)
	if err != nil {
		return nil, err
	}
	return d.lasts(bite, end), nil
}

func (d *DevCluster) malformed(ctx context.Context, f *scenario.Fault, targets []string) (drill.Injection, error) {
	addresses, err := d.addresses(targets)
	if err != nil {
		return nil, err
	}
	seen, err := d.crowd().Malformed(ctx, f.Count, addresses)
	if err != nil {
		return nil, err
	}
	return over(seen, "malformed requests that were refused"), nil
}
