package drill

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/verify/evidence"
)

const (
	// look is how often each server is asked what it is unless the options say otherwise,
	// glance how long it may take to say so.
	look   = 50 * time.Millisecond
	glance = 250 * time.Millisecond
	// sample is after how many looks the digests of its states are taken.
	sample = 20
)

// observer asks servers what they are, for the timeline and for targets. It belongs to
// one run, which calls watch once.
type observer struct {
	stage    Stage
	axis     axis
	lanes    *lanes
	recorder *evidence.Recorder
	progress func(Event)
	// look is how often.
	look time.Duration

	mu      sync.Mutex
	leader  string
	term    uint64
	changes int
	holders map[string]string
	// stalls are when this process was late itself, and by how much.
	stalls []stall
}

func newObserver(o Options, a axis, recorder *evidence.Recorder) *observer {
	return &observer{
		stage: o.Stage, axis: a, lanes: newLanes(), recorder: recorder, progress: o.Progress, look: o.Look,
		holders: map[string]string{},
	}
}

// watch looks until ctx ends. Servers that are added later are looked at too.
func (o *observer) watch(ctx context.Context) error {
	var wait sync.WaitGroup
	defer wait.Wait()
	watched := map[string]bool{}
	for {
		began := time.Now()
		for _, name := range o.stage.Servers() {
			if watched[name] {
				continue
			}
			watched[name] = true
			k, err := o.stage.Client(name)
			if err != nil {
				return err
			}
			wait.Go(func() {
				defer func() { _ = k.Close() }() // nothing of it is to be kept
				o.server(ctx, k, name)
			})
		}
		if !passes(ctx, o.look) {
			return nil
		}
		o.late(time.Since(began) - o.look)
	}
}

// stall is a time in which this process did not get to run, though it wanted to.
type stall struct{ until, lasted time.Duration }

// shortStall is what any scheduler may take.
const shortStall = 10 * time.Millisecond

func (o *observer) late(by time.Duration) {
	if by < shortStall {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stalls = append(o.stalls, stall{o.axis.now(), by})
}

// server looks at one of them.
func (o *observer) server(ctx context.Context, k *client.Client, name string) {
	var sampled time.Time
	believer, states := believer{recorder: o.recorder}, sampler{recorder: o.recorder}
	for passes(ctx, o.look) {
		status, err := statusOf(ctx, k, o.stage, name, glance)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			o.lanes.node(name, o.axis.now(), report.Unknown, 0)
			continue
		}
		o.told(name, status)
		o.tenures(ctx, k, name, &believer)
		if time.Since(sampled) >= sample*o.look {
			sampled = time.Now()
			// What is missed now comes with the next sample.
			_ = states.take(ctx, k.Diagnostics(o.stage.Endpoint(name)))
		}
	}
}

// told notes what a server says that it is.
func (o *observer) told(name string, status *client.ClusterStatus) {
	state := report.State(strings.ToLower(status.Role))
	if state == report.Follower && status.Witness != nil && status.Witness.Mode != "" && status.Witness.Mode != candor.ModeHealthy {
		state = report.Degraded
	}
	o.lanes.node(name, o.axis.now(), state, status.Term)
	if state != report.Leader {
		return
	}
	o.mu.Lock()
	anew := status.Term > o.term && name != o.leader
	if status.Term >= o.term {
		if anew && o.leader != "" {
			o.changes++
		}
		o.leader, o.term = name, status.Term
	}
	o.mu.Unlock()
	if anew {
		o.progress(Event{At: o.axis.now(), Kind: EventLeader, What: name + " leads", Term: status.Term})
	}
}

// tenures asks a server for its duties: what it believes of itself is recorded, and the
// leader's view is who holds them. One that does not answer is asked at the next look.
func (o *observer) tenures(ctx context.Context, k *client.Client, name string, b *believer) {
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	asked := o.recorder.Stamp()
	tenures, err := k.Tenures(ctx, client.OnEndpoint(o.stage.Endpoint(name)), client.WithoutSession())
	if err != nil {
		return
	}
	b.told(tenures, asked)
	if leader, _ := o.leads(); leader == name {
		o.held(tenures)
	}
}

func (o *observer) held(t *client.Tenures) {
	for i := range t.Tenures {
		duty, era := t.Tenures[i].Duty, t.Tenures[i].Current
		holder, number := "", uint64(0)
		if era != nil && era.Active() {
			holder, number = era.HolderName, era.Number
		}
		o.lanes.duty(duty, o.axis.now(), number, holder)
		o.mu.Lock()
		o.holders[duty] = holder
		o.mu.Unlock()
	}
}

// leads is who led last, and how often that changed.
func (o *observer) leads() (name string, changes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.leader, o.changes
}

// stoodStill is for how long this process itself did not get to run between two times:
// at once at most, and in all.
func (o *observer) stoodStill(from, to time.Duration) (longest, sum time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.stalls {
		lasted := min(s.until, to) - max(s.until-s.lasted, from)
		if lasted > 0 {
			longest = max(longest, lasted)
			sum += lasted
		}
	}
	return longest, sum
}

// scene is the cluster as it was seen last.
func (o *observer) scene() scene {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := scene{servers: o.stage.Servers(), leader: o.leader, holders: map[string]string{}}
	maps.Copy(s.holders, o.holders)
	return s
}
