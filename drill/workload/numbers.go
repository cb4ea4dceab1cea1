package workload

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/fsm/tenure"
	"github.com/candor-plane/candor/verify/lineage"
)

// takers ask every server for IDs and timestamps, whoever holds the duties, one at a
// time and many: each client reaches one server alone, so that it is known who answered.
type takers struct{}

func (*takers) Name() string { return Numbers }

const (
	// takerClients are those of each server: half of them take IDs, half timestamps.
	takerClients = 2
	takerPause   = 20 * time.Millisecond
	takePatience = 300 * time.Millisecond
	// refusedTimes is how much longer the pause of one who is refused is: mostly his
	// server does not hold the duty.
	refusedTimes = 8
	// many are taken one time in ten, and a great many one time in a hundred, so that
	// holders have to reserve more.
	many      = 50
	greatMany = 20_000
)

var dispensed = []string{tenure.DutyIDs, tenure.DutyTSO}

// Prepare wants a client of one server to reach no other: an answer would be put down to
// the wrong one. The duties are there from the beginning.
func (*takers) Prepare(ctx context.Context, e *Env) error {
	servers := e.Servers()
	if len(servers) < 2 {
		return nil
	}
	k, err := e.Client(servers[0])
	if err != nil {
		return candor.Wrap("prepare "+Numbers, err)
	}
	bounded, cancel := context.WithTimeout(ctx, takePatience)
	defer cancel()
	_, err = k.Cluster().Status(bounded, client.OnEndpoint(e.Endpoint(servers[1])))
	if err == nil {
		err = candor.Errorf(candor.ReasonInvalid, "a client of server %s alone reaches %s: nobody could tell who gave a number", servers[0], servers[1])
		return candor.Wrap("prepare "+Numbers, firstOf(err, k.Close()))
	}
	return candor.Wrap("prepare "+Numbers, k.Close())
}

func (*takers) Run(ctx context.Context, e *Env) error {
	c := crew{env: e}
	var all []*taker
	for _, server := range e.Servers() {
		for i := range e.clients(takerClients) {
			h, err := c.join(fmt.Sprintf("%s-%s-%d", Numbers, server, i+1), server)
			if err != nil {
				return firstOf(err, c.done())
			}
			all = append(all, &taker{hand: h, server: server, duty: dispensed[i%len(dispensed)]})
		}
	}
	for _, t := range all {
		c.repeats(ctx, t.hand, e.pause(takerPause), func(context.Context, *hand) { t.turn(ctx, e.pause(takerPause)) })
	}
	return c.done()
}

// Finish records the lineages of the duties, which seals and eras are in.
func (*takers) Finish(ctx context.Context, e *Env) error {
	return candor.Wrap("finish "+Numbers, e.lineages(ctx, dispensed))
}

// lineages records what the cluster keeps of duties.
func (e *Env) lineages(ctx context.Context, duties []string) error {
	k, err := e.Client()
	if err != nil {
		return err
	}
	for _, duty := range duties {
		if err == nil {
			err = e.lineage(ctx, k, duty)
		}
	}
	return firstOf(err, k.Close())
}

func (e *Env) lineage(ctx context.Context, k *client.Client, duty string) error {
	ref, err := lineage.Ref(duty)
	if err != nil {
		return err
	}
	return e.versions(ctx, k, ref, nil)
}

// taker is a client of one server.
type taker struct {
	*hand
	server, duty string
	// holder is the server, as it stands in tenures; empty while it is not known.
	holder string
}

// turn takes numbers once. ctx is that of the run: one who was refused waits longer.
func (t *taker) turn(ctx context.Context, pause time.Duration) {
	if t.take(context.WithoutCancel(ctx)) != nil {
		rest(ctx, t.random, refusedTimes*pause)
	}
}

func (t *taker) take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, takePatience)
	defer cancel()
	if err := t.learnHolder(ctx); err != nil {
		return err
	}
	n := uint64(1)
	switch draw := t.random.IntN(100); {
	case draw == 0:
		n = greatMany
	case draw < 11:
		n = uint64(2 + t.random.IntN(many))
	default: // one
	}
	err := t.env.Recorder.Numbers(t.duty).Ask(t.duty, t.holder, func() (first, count, era uint64, err error) {
		ask := t.client.AllocIDs
		if t.duty == tenure.DutyTSO {
			ask = t.client.Timestamps
		}
		answer, err := ask(ctx, n)
		return answer.First, answer.Count, answer.Era, err
	})
	if err != nil {
		// Another may be there under the same name by now.
		t.holder = ""
	}
	return err
}

func (t *taker) learnHolder(ctx context.Context) error {
	if t.holder != "" {
		return nil
	}
	status, err := t.client.Cluster().Status(ctx, client.OnEndpoint(t.env.Endpoint(t.server)))
	if err != nil {
		return err
	}
	if status.Witness.NodeID == "" {
		return candor.Errorf(candor.ReasonUnavailable, "server %s does not say who it is", t.server)
	}
	t.holder = "server/" + status.Witness.NodeID
	return nil
}
