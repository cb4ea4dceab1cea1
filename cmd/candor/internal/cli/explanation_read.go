package cli

import (
	"context"
	"strings"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
)

// readExplanation says why reads are served or refused at one server, by what a trial
// of every class came to there.
func readExplanation(server string, trial *client.NodeFreshness) *candor.Explanation {
	x := &candor.Explanation{Subject: candor.VersionRef{Ref: candor.Ref{Kind: "reads", Name: server}}}
	var served, refused []string
	for i := range trial.Verdicts {
		v := &trial.Verdicts[i]
		class := string(v.Freshness)
		if v.FollowerReadIndex {
			class += " (with the leader's word)"
		}
		switch {
		case v.Breach != nil:
			refused = append(refused, class)
			x.Facts = append(x.Facts, class+" is served and must not be believed: "+v.Breach.Error())
		case v.Served:
			served = append(served, class)
			x.Facts = append(x.Facts, class+" is served"+mechanismText(v.Witness))
		default:
			refused = append(refused, class)
			x.Facts = append(x.Facts, class+" is refused ("+string(v.Reason)+"): "+v.Message+retryAdvice(v.Retry))
		}
	}
	switch {
	case len(refused) == 0:
		x.Headline = "server " + server + " serves every class of reads"
	case len(served) == 0:
		x.Headline = "server " + server + " serves no reads"
	default:
		x.Headline = "server " + server + " serves " + strings.Join(served, ", ") + " and refuses " + strings.Join(refused, ", ")
	}
	if w := trial.Witness; w != nil {
		x.Subject.Revision = w.ServedToken.Revision
		if w.Mode != "" {
			x.Facts = append(x.Facts, strings.TrimSpace("it is "+string(w.Mode)+" "+w.DegradedReason))
		}
	}
	return x
}

func mechanismText(w *candor.Witness) string {
	if w == nil || w.Mechanism == "" {
		return ""
	}
	text := ": " + string(w.Mechanism)
	if w.StalenessBound != nil {
		text += ", everything acknowledged " + w.StalenessBound.String() + " ago is in it"
	}
	return text
}

func retryAdvice(class candor.RetryClass) string {
	switch class {
	case candor.RetryLeader:
		return "; ask the leader"
	case candor.RetryOtherNode:
		return "; ask another server"
	case candor.RetryWaitForToken, candor.RetryLater, candor.RetrySameNode:
		return "; ask again later"
	case candor.RetryAcceptStale:
		return "; --accept-stale takes what there is"
	default:
		return ""
	}
}

// whyRead asks one server for a trial.
func (f *Factory) whyRead(ctx context.Context, remote *Remote, server string) (*client.Explained, error) {
	address, err := f.address(ctx, remote, server)
	if err != nil {
		return nil, err
	}
	trial, err := remote.Node(address).Freshness(ctx, client.FreshnessBounds{})
	if err != nil {
		return nil, try(err, "candor diagnostics --all", "candor status")
	}
	found := &client.Explained{Explanation: readExplanation(server, trial)}
	if trial.Witness != nil {
		found.Witness = *trial.Witness
	}
	return found, nil
}
