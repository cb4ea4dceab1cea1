package client

import (
	"context"
	"errors"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// answer is any message that carries a witness.
type answer interface {
	proto.Message
	GetWitness() *candorv1.Witness
}

// read is one read under way.
type read struct {
	request
	terms   readTerms
	options *candorv1.ReadOptions // what is sent of the terms
	session *Session
}

// prepare sets the terms of the read and returns what to send of them.
func (c *Client) prepare(r *read, options []ReadOption) (*candorv1.ReadOptions, error) {
	session, sent, err := r.terms.set(c, options)
	if err != nil {
		return nil, err
	}
	r.session, r.options, r.aloof = session, sent, session == nil
	if r.terms.age != nil {
		*r.terms.age = Age{}
	}
	r.required = r.terms.query.Required
	r.class, r.route, r.mayBeStale = r.terms.query.Class, r.terms.route(), r.terms.mayBeStale()
	return sent, c.pin(&r.request, r.terms.endpoint)
}

// carry does the read and returns the witness that it was checked by.
func (c *Client) carry(ctx context.Context, r *read, method string, in proto.Message, out answer) (*candor.Witness, error) {
	r.method, r.in, r.out = method, in, out
	if !r.mayBeStale {
		return c.carryOnce(ctx, r, out)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	first, done := lessReserve(ctx)
	w, err := c.carryOnce(first, r, out)
	done()
	if err == nil || ctx.Err() != nil || candor.ReasonOf(err).Disposition().Retry == candor.RetryNever {
		return w, err
	}
	r.weaken(c)
	w, stale := c.carryOnce(ctx, r, out)
	if stale == nil || candor.ReasonOf(stale).Disposition().Retry == candor.RetryNever {
		return w, stale
	}
	return nil, err // why it could not be had as it was asked for
}

func (c *Client) carryOnce(ctx context.Context, r *read, out answer) (*candor.Witness, error) {
	if err := c.do(ctx, &r.request); err != nil {
		if e, ok := errors.AsType[*candor.Error](err); ok && isAnswer(&r.request, e) {
			if err := c.judge(r, e.Witness); err != nil {
				return nil, err
			}
		}
		return nil, err
	}
	w := witnessIn(out)
	if freshness.Unwitnessed && w == nil {
		return new(candor.Witness), nil
	}
	if err := c.judge(r, w); err != nil {
		return nil, err
	}
	return w, nil
}

func witnessIn(out answer) *candor.Witness {
	if get, ok := out.(*candorv1.GetResponse); ok {
		return convert.WitnessOfGet(get)
	}
	return convert.WitnessFromProto(out.GetWitness())
}

// judge examines the answer to a read and takes the measure of it.
func (c *Client) judge(r *read, w *candor.Witness) error {
	if err := c.examine(&r.request, r.scrutiny(), w); err != nil {
		return err
	}
	if r.terms.age != nil {
		r.terms.age.set(r.sent, w)
	}
	return nil
}

func (r *read) scrutiny() scrutiny {
	return scrutiny{query: &r.terms.query, session: r.session, duty: r.terms.duty}
}

// staleReserve is the share of a read's time, and the most, that is kept for
// reading BEST_EFFORT instead.
const (
	staleShare   = 4
	staleReserve = time.Second
)

func lessReserve(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, _ := ctx.Deadline() // bounded by carry
	return context.WithDeadline(ctx, deadline.Add(-min(time.Until(deadline)/staleShare, staleReserve)))
}

// weaken makes the read a BEST_EFFORT one. What the session and the caller
// require of its token stays.
func (r *read) weaken(c *Client) {
	if log := c.log; log.IsDebug() {
		log.Debug("read weakened", "method", r.method, "asked", r.class, "served", candor.FreshnessBestEffort)
	}
	r.terms.query.Class, r.terms.query.MaxLag, r.terms.query.FollowerReadIndex = candor.FreshnessBestEffort, nil, false
	r.options.Freshness, r.options.MaxRootLag = candorv1.Freshness_FRESHNESS_BEST_EFFORT, nil
	r.options.MaxStaleness, r.options.AllowFollowerReadIndex = nil, false
	r.class, r.mayBeStale = candor.FreshnessBestEffort, false
	if r.route != toPinned {
		r.route = toAny
	}
}

// Get reads one object. NOT_FOUND is an error, and the witness says as of when
// (it is also the error's).
func (c *Client) Get(ctx context.Context, ref candor.Ref, options ...ReadOption) (*candor.Object, candor.Witness, error) {
	o, w, err := c.get(ctx, ref, options)
	if err != nil {
		return nil, witnessOf(err), candor.Wrap("get "+ref.String(), err)
	}
	return o, *w, nil
}

func (c *Client) get(ctx context.Context, ref candor.Ref, options []ReadOption) (*candor.Object, *candor.Witness, error) {
	var r read
	sent, err := c.prepare(&r, options)
	if err != nil {
		return nil, nil, err
	}
	in := &candorv1.GetRequest{Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name, Read: sent}
	out := new(candorv1.GetResponse)
	w, err := c.carry(ctx, &r, candorv1.ObjectService_Get_FullMethodName, in, out)
	if err != nil {
		return nil, nil, err
	}
	o := convert.ObjectOfGet(out)
	if o == nil {
		return nil, nil, breach(r.endpoint.addr, "endpoint %s answered without the object", r.endpoint.addr)
	}
	return o, w, nil
}

// History is the versions of one object that are kept.
type History struct {
	// Versions are newest first.
	Versions []Version
	// Floor: versions below it may have been compacted.
	Floor   uint64
	Witness candor.Witness
}

// Version is one version of an object; of a deleted one, the last.
type Version struct {
	Revision uint64
	Deleted  bool
	Object   *candor.Object
}

// History reads the kept versions of one object.
func (c *Client) History(ctx context.Context, ref candor.Ref, options ...ReadOption) (*History, error) {
	h, err := c.history(ctx, ref, options)
	return h, candor.Wrap("history of "+ref.String(), err)
}

func (c *Client) history(ctx context.Context, ref candor.Ref, options []ReadOption) (*History, error) {
	var r read
	sent, err := c.prepare(&r, options)
	if err != nil {
		return nil, err
	}
	in := &candorv1.HistoryRequest{Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name, Read: sent}
	out := new(candorv1.HistoryResponse)
	w, err := c.carry(ctx, &r, candorv1.ObjectService_History_FullMethodName, in, out)
	if err != nil {
		return nil, err
	}
	h := &History{Floor: out.GetFloor(), Witness: *w}
	for _, v := range out.GetVersions() {
		h.Versions = append(h.Versions, Version{
			Revision: v.GetRevision(), Deleted: v.GetDeleted(), Object: convert.ObjectFromProto(v.GetObject()),
		})
	}
	return h, nil
}

// WriteOutcome is what one node knows of a write.
type WriteOutcome struct {
	// Outcome is empty when the node knows nothing of the request.
	Outcome candor.Outcome
	// Token is what an applied write reached.
	Token candor.Token
	// Reason is why it was rejected or failed.
	Reason  candor.Reason
	Witness candor.Witness
}

// Outcome asks what became of a write, by the request ID that its error named
// or that WithRequestID gave it, of the same actor.
func (c *Client) Outcome(ctx context.Context, requestID string, options ...ReadOption) (WriteOutcome, error) {
	o, err := c.outcome(ctx, requestID, options)
	return o, candor.Wrap("outcome of "+requestID, err)
}

func (c *Client) outcome(ctx context.Context, requestID string, options []ReadOption) (WriteOutcome, error) {
	var r read
	sent, err := c.prepare(&r, options)
	if err != nil {
		return WriteOutcome{}, err
	}
	in := &candorv1.OutcomeRequest{RequestId: requestID, Read: sent}
	out := new(candorv1.OutcomeResponse)
	w, err := c.carry(ctx, &r, candorv1.ObjectService_Outcome_FullMethodName, in, out)
	if err != nil {
		return WriteOutcome{}, err
	}
	return WriteOutcome{
		Outcome: convert.OutcomeFromProto(out.GetOutcome()), Token: convert.TokenFromProto(out.GetAcceptedRootToken()),
		Reason: candor.Reason(out.GetReason()), Witness: *w,
	}, nil
}
