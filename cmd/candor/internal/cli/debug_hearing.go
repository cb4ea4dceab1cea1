package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/verify/bundle"
	"github.com/candor-plane/candor/verify/replay"
)

// hearing is what one server said.
type hearing struct {
	node      bundle.Node
	clusterID string
	documents []heard
	points    []replay.Point
	gaps      []bundle.Gap
	failure   error
}

// heard is one document: text, or a value to be written as JSON.
type heard struct {
	name, what string
	value      any
	text       []byte
}

func (h *hearing) add(name, what string, value any, err error) {
	if err != nil {
		h.gaps = append(h.gaps, gapOf(h.node.Name, what, err))
		return
	}
	h.documents = append(h.documents, heard{name: name, what: what, value: value})
}

// lastAudited is how many lines of the audit log are taken.
const lastAudited = 2000

// hearOne asks one server, whose report is there or not, for everything else.
func (o *DebugBundleOptions) hearOne(ctx context.Context, remote *Remote, d *nodeDocument, began time.Time) *hearing {
	h := &hearing{failure: d.failure, node: bundle.Node{Name: d.name(), Address: d.Address, Asked: began}}
	if d.Report == nil {
		h.node.Failure = d.Error
		h.gaps = append(h.gaps, gapOf(h.node.Name, "everything about it", d.failure))
		return h
	}
	h.node.Answered, h.node.ID, h.node.Version = true, d.Report.NodeID, d.Report.Version
	h.add("diagnostics.json", "what it says of itself: log, disk, queue, condition, requests", d.Report, nil)
	if len(d.missing) > 0 {
		for _, m := range d.missing {
			h.gaps = append(h.gaps, bundle.Gap{Node: h.node.Name, What: "diagnostics", Why: m})
		}
	}
	h.add("records.json", "blocked turns", d.Records, nil)
	for _, p := range d.digests {
		if digest, err := replay.DigestOf(p.Digest); err == nil {
			h.points = append(h.points, replay.Point{Index: p.Index, Digest: digest, By: "node " + h.node.Name})
		}
	}
	o.askCluster(ctx, remote, h)
	o.askAudit(ctx, remote, h)
	if address := d.Report.Addresses["debug"]; address != "" {
		o.askDebug(ctx, h, address)
	} else {
		h.gaps = append(h.gaps, bundle.Gap{Node: h.node.Name, What: "metrics and goroutines", Why: "it has no debug listener (--debug)"})
	}
	h.node.Told = o.Now().UTC()
	return h
}

// askCluster asks what the server knows of the whole, as it knows it now.
func (o *DebugBundleOptions) askCluster(ctx context.Context, remote *Remote, h *hearing) {
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(serverPatience))
	defer cancel()
	here := []client.ReadOption{client.OnEndpoint(h.node.Address), client.WithoutSession()}
	asItIs := append([]client.ReadOption{client.WithFreshness(candor.FreshnessBestEffort)}, here...)
	status, err := remote.Cluster.Status(ctx, here...)
	if err == nil {
		h.clusterID = status.ClusterID
	}
	h.add("status.json", "status and findings", status, err)
	members, err := remote.Cluster.Members(ctx, here...)
	h.add("members.json", "members, as it knows them", members, err)
	freshness, err := remote.Node(h.node.Address).Freshness(ctx, client.FreshnessBounds{})
	h.add("freshness.json", "what a read of each class would get", freshness, err)
	tenures, err := remote.Tenures.Tenures(ctx, here...)
	h.add("tenures.json", "who holds which duty", tenures, err)
	transitions, err := remote.Transitions.List(ctx, false, here...)
	h.add("transitions.json", "changes of several steps", transitions, err)
	findings, err := remote.Reader.List(ctx, candor.KindFindings, client.ListOptions{}, asItIs...)
	if err != nil {
		h.add("", "findings", nil, err)
		return
	}
	h.add("findings.json", "findings of the duty verify", findings.Objects, nil)
}

func (o *DebugBundleOptions) askAudit(ctx context.Context, remote *Remote, h *hearing) {
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(requestTimeout))
	defer cancel()
	var lines bytes.Buffer
	err := remote.Audit(h.node.Address).TailAudit(ctx, client.AuditQuery{Last: lastAudited}, func(line []byte) error {
		lines.Write(line)
		return lines.WriteByte('\n')
	})
	if err != nil {
		h.add("", "audit log", nil, err)
	}
	if err == nil || lines.Len() > 0 {
		h.documents = append(h.documents, heard{name: "audit.jsonl", what: "the end of its audit log", text: append([]byte{}, lines.Bytes()...)})
	}
}

// mostText bounds what a debug listener may say.
const mostText = 64 << 20

// askDebug reads the debug listener, as the caller and with its certificates.
func (o *DebugBundleOptions) askDebug(ctx context.Context, h *hearing, address string) {
	ctx, cancel := context.WithTimeout(ctx, o.Flags.timeout(serverPatience))
	defer cancel()
	fetch, end, err := o.debugClient(address)
	if err != nil {
		h.add("", "metrics and goroutines", nil, err)
		return
	}
	defer end()
	for _, page := range []struct{ path, name, what string }{
		{"/metrics", "metrics.txt", "metrics"},
		{"/debug/pprof/goroutine?debug=1", "goroutines.txt", "goroutines"},
	} {
		text, clock, err := fetch(ctx, page.path)
		if err != nil {
			h.add("", page.what, nil, err)
			continue
		}
		h.documents = append(h.documents, heard{name: page.name, what: page.what, text: text})
		if !clock.IsZero() {
			h.node.Clock = clock
		}
	}
}

type fetching func(ctx context.Context, path string) (text []byte, clock time.Time, err error)

func (o *DebugBundleOptions) debugClient(address string) (fetching, func(), error) {
	token, err := o.token()
	if err != nil {
		return nil, nil, err
	}
	files, err := o.Flags.certificates(o.Getenv)
	if err != nil {
		return nil, nil, err
	}
	own, err := openIdentity(files)
	if err != nil {
		return nil, nil, err
	}
	var secure *tls.Config
	scheme := "http://"
	if own != nil {
		secure, scheme = own.Client(identity.OneOf(candor.PartyServer)), "https://"
	}
	transport := &http.Transport{TLSClientConfig: secure}
	end := func() {
		transport.CloseIdleConnections()
		if own != nil {
			_ = own.Close()
		}
	}
	return func(ctx context.Context, path string) ([]byte, time.Time, error) {
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+address+path, http.NoBody)
		if err != nil {
			return nil, time.Time{}, candor.Wrap("debug listener", err)
		}
		if token != "" {
			q.Header.Set("Authorization", "Bearer "+token)
		}
		answer, err := transport.RoundTrip(q)
		if err != nil {
			return nil, time.Time{}, candor.Errorf(candor.ReasonUnavailable, "debug listener: %w", err)
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(io.LimitReader(answer.Body, mostText))
		if err == nil && answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", answer.Status, bytes.TrimSpace(text))
		}
		if err != nil {
			return nil, time.Time{}, candor.Errorf(candor.ReasonUnavailable, "debug listener: %w", err)
		}
		clock, _ := http.ParseTime(answer.Header.Get("Date"))
		return text, clock, nil
	}, end, nil
}
