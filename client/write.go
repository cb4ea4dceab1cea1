package client

import (
	"context"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/internal/zoo"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Result is what an acknowledged write did.
type Result struct {
	// Object is the version that the write made or found; of a delete, the last.
	// It is nil WithoutObject.
	Object *candor.Object
	// Token is what the write reached: a view that covers it contains the write.
	Token candor.Token
	// Changed is false when the write changed nothing and made no revision.
	Changed bool
	// Replayed: this answers a repeated request from the remembered outcome.
	Replayed bool
	// Removed: the deleted object is gone, no finalizer holds it.
	Removed bool
	// Warnings are what the author should know though the write was accepted, for
	// people: that no node could take a workload, for one.
	Warnings []string
	Witness  candor.Witness
}

// notAfterSlack is how much longer than its deadline a write stays repeatable:
// room for what the estimate of cluster time is behind.
const notAfterSlack = 5 * time.Second

// mostRepeatable bounds how long a write stays repeatable, however late its
// deadline: the root remembers every accepted request for that long.
const mostRepeatable = 30 * time.Second

// ofObjects begins the names of the methods that a stream of calls carries.
const ofObjects = "/candor.v1.ObjectService/"

// write is one write under way.
type write struct {
	request
	terms   writeTerms
	options *candorv1.WriteOptions
}

// begin applies the options; the wire form is then in w.options.
func (w *write) begin(options []WriteOption, preconditions, propagation bool) error {
	for _, option := range options {
		option(&w.terms)
	}
	if err := w.terms.only(preconditions, propagation); err != nil {
		return err
	}
	var err error
	w.options, err = w.terms.options()
	w.subject = w.options.GetRequestId()
	if zoo.Enabled && zoo.Has(zoo.RetryAsNew) {
		w.options.RequestId = ""
	}
	w.preconditioned = w.terms.preconditioned()
	return err
}

// push makes the write at most once: every attempt carries the same request ID
// and the same not_after.
//
// An estimate of cluster time can be behind: on a cluster that was idle, the
// newest time that anyone tells is that of its last entry. A first write is
// then refused as expired. It surely was not made, so it is stamped again with
// the time that the refusal made known, once.
func (c *Client) push(ctx context.Context, w *write, method string, in, out proto.Message) error {
	w.method, w.in, w.out, w.route = method, in, out, toLeader
	if w.options.GetDryRun() {
		return c.do(ctx, &w.request)
	}
	w.effect, w.repeatable = true, true
	w.carried = strings.HasPrefix(method, ofObjects)
	if w.terms.notAfter != 0 {
		return c.do(ctx, &w.request)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	if !c.clock.known() {
		if err := c.learnClock(ctx, toAny); err != nil {
			return err
		}
	}
	believed := c.stamp(ctx, w)
	err := c.do(ctx, &w.request)
	if candor.ReasonOf(err) != candor.ReasonRequestExpired {
		return err
	}
	if c.clock.offset.Load() == believed {
		if err := c.learnClock(ctx, toLeader); err != nil {
			return err
		}
	}
	if c.stamp(ctx, w) == believed {
		return err
	}
	return c.do(ctx, &w.request)
}

// stamp sets not_after and returns the offset of cluster time that it believed.
func (c *Client) stamp(ctx context.Context, w *write) int64 {
	believed := c.clock.offset.Load()
	deadline, _ := ctx.Deadline() // bounded by push
	w.options.NotAfter = c.clock.after(min(max(0, time.Until(deadline)), mostRepeatable) + notAfterSlack)
	return believed
}

// learnClock asks a node for cluster time. Asking also finds out, before the
// first write, that a session is of another history.
func (c *Client) learnClock(ctx context.Context, whom route) error {
	out := new(candorv1.StatusResponse)
	r := request{
		method: candorv1.ClusterService_Status_FullMethodName, in: &candorv1.StatusRequest{}, out: out, route: whom,
	}
	if err := c.do(ctx, &r); err != nil {
		return err
	}
	// The leader tells what time it is; a witness tells when its view was made.
	if now := out.GetClusterTime(); now != 0 {
		c.clock.observe(now)
	}
	return c.accept(&r, c.session, convert.WitnessFromProto(out.GetWitness()))
}

// finish turns an acknowledgement into a Result. A write that was made is told
// as made even where its witness is refused: then both are returned.
func (c *Client) finish(w *write, p *candorv1.WriteResult) (Result, error) {
	if p == nil {
		return Result{}, breach(w.endpoint.addr, "endpoint %s acknowledged without a result", w.endpoint.addr)
	}
	result := Result{
		Object: convert.ObjectFromProto(p.GetObject()), Token: convert.TokenFromProto(p.GetAcceptedRootToken()),
		Changed: p.GetChanged(), Replayed: p.GetReplayed(), Warnings: p.GetWarnings(),
	}
	witness := p.GetWitness()
	if witness == nil {
		return result, c.accept(&w.request, c.session, nil)
	}
	convert.ReadWitness(&result.Witness, witness)
	if err := c.accept(&w.request, c.session, &result.Witness); err != nil {
		return result, err
	}
	return result, c.session.advance(candor.PortableToken{
		Token: result.Token, ClusterID: result.Witness.ClusterID, HistoryID: result.Witness.HistoryID,
	})
}

// Create makes a new object; ALREADY_EXISTS if there is one.
func (c *Client) Create(ctx context.Context, object *candor.Object, options ...WriteOption) (Result, error) {
	result, err := c.create(ctx, object, options)
	if err != nil {
		return result, candor.Wrap("create "+describe(object), err)
	}
	return result, nil
}

func (c *Client) create(ctx context.Context, object *candor.Object, options []WriteOption) (Result, error) {
	if err := given(object); err != nil {
		return Result{}, err
	}
	var w write
	if err := w.begin(options, false, false); err != nil {
		return Result{}, err
	}
	in := &candorv1.CreateRequest{Object: convert.ObjectToProto(object), Write: w.options}
	out := new(candorv1.CreateResponse)
	if err := c.push(ctx, &w, candorv1.ObjectService_Create_FullMethodName, in, out); err != nil {
		return Result{}, err
	}
	return c.finish(&w, out.GetResult())
}

// Update replaces labels, annotations, owners, finalizers and spec. Where the
// object carries a resource version or a uid they are preconditions, as
// WithPreconditions is, which goes before them.
func (c *Client) Update(ctx context.Context, object *candor.Object, options ...WriteOption) (Result, error) {
	result, err := c.update(ctx, object, options)
	if err != nil {
		return result, candor.Wrap("update "+describe(object), err)
	}
	return result, nil
}

func (c *Client) update(ctx context.Context, object *candor.Object, options []WriteOption) (Result, error) {
	if err := given(object); err != nil {
		return Result{}, err
	}
	var w write
	if err := w.begin(options, true, false); err != nil {
		return Result{}, err
	}
	in := &candorv1.UpdateRequest{Object: convert.ObjectToProto(object), Write: w.options}
	metadata := in.GetObject().GetMetadata()
	if w.terms.resourceVersion != 0 {
		metadata.ResourceVersion = w.terms.resourceVersion
	}
	if w.terms.uid != "" {
		metadata.Uid = w.terms.uid
	}
	w.preconditioned = metadata.GetResourceVersion() != 0 || metadata.GetUid() != ""
	out := new(candorv1.UpdateResponse)
	if err := c.push(ctx, &w, candorv1.ObjectService_Update_FullMethodName, in, out); err != nil {
		return Result{}, err
	}
	return c.finish(&w, out.GetResult())
}

// given refuses a nil object.
func given(object *candor.Object) error {
	if object == nil {
		return candor.Errorf(candor.ReasonInvalid, "no object")
	}
	return nil
}

// describe names an object for a message.
func describe(o *candor.Object) string {
	if o == nil {
		return "object"
	}
	if o.Metadata.Namespace == "" {
		return o.Kind + " " + o.Metadata.Name
	}
	return o.Kind + " " + o.Metadata.Namespace + "/" + o.Metadata.Name
}
