package policy

import (
	"context"
	"fmt"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/drill/report"
	"github.com/candor-plane/candor/verify/history"
)

const (
	// namespace and name are of the workload that is looked at, which has so many replicas:
	// more than there are nodes, so that some are on those that fall silent.
	namespace, name = "drill-policy", "steady"
	replicas        = 24
)

// nodes is the subject of a policy for nodes, which has a mode of silent ones: them, and
// a workload of its own.
type nodes struct {
	mode    candor.FailureMode
	samples looks[sample]
}

func (n *nodes) begin(ctx context.Context, k *client.Client) error {
	for _, o := range []*candor.Object{
		{APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: namespace}},
		{APIVersion: candor.APIVersion, Kind: "Workload", Metadata: candor.Metadata{Namespace: namespace, Name: name}, Spec: fmt.Appendf(nil, `{"replicas":%d,"template":{"command":["drill"]}}`, replicas)},
	} {
		if _, err := k.Create(ctx, o); err != nil && candor.ReasonOf(err) != candor.ReasonAlreadyExists {
			return err
		}
	}
	for {
		s, err := look(ctx, k)
		if err == nil && s.real() {
			return nil
		}
		if !passes(ctx) {
			return candor.Errorf(candor.ReasonTimedOut, "%d of %d instances are ready", s.ready, s.wanted)
		}
	}
}

func (n *nodes) look(ctx context.Context, k *client.Client) error {
	s, err := look(ctx, k)
	if err == nil {
		n.samples.add(s)
	}
	return err
}

func (n *nodes) judge(ctx context.Context, r *report.Report) []history.Report {
	var found []history.Report
	for _, s := range silences(r) {
		s.mode = n.mode
		if s.meant < time.Duration(n.mode.DetectWithin) {
			found = append(found, s.borne(n.samples.seen()))
			continue
		}
		for !s.over(n.samples.seen()) && passes(ctx) {
		}
		samples := n.samples.seen()
		s.nodes = s.affected(samples)
		found = append(found, s.known(samples), s.acted(samples), s.recovered(samples))
	}
	return found
}
