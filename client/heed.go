package client

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// accept checks an answer that promises no class against what is known: the
// session's history and floors, and the node's own past; and learns from it.
func (c *Client) accept(r *request, s *Session, w *candor.Witness) error {
	return c.examine(r, scrutiny{session: s}, w)
}

// heed learns from a refusal. Its witness is of a node that refused to be
// relied on, so what does not fit the session is left to that session's next
// answer.
func (c *Client) heed(r *request, ep *endpoint, e *candor.Error) {
	if r := rankOfRefusal(e); r != fit || e.Witness != nil && e.Witness.Mode != "" {
		ep.near.tell(c.clock.elapsed(), r)
	}
	if e.Witness == nil {
		return
	}
	c.clock.observe(e.Witness.ClusterTime)
	c.noteLeader(ep, e.Witness)
	if !r.aloof && !isAnswer(r, e) {
		_ = c.session.Observe(*e.Witness)
	}
}

// isAnswer says whether a refusal is what a read found out: that there is no
// such object. It is checked as any other answer is.
func isAnswer(r *request, e *candor.Error) bool {
	return r.class != "" && e.Reason == candor.ReasonNotFound
}

// noteLeader learns who leads from what the node at ep says.
func (c *Client) noteLeader(ep *endpoint, w *candor.Witness) {
	if !w.ServedByLeader {
		c.follow(ep, w.Leader)
		return
	}
	term := w.ServedToken.Term
	if w.Leader != nil {
		term = max(term, w.Leader.Term)
	}
	c.learnLeader(ep, w.NodeID, term)
}

// follow learns who leads from a hint that the node at from gave: another node,
// or it would have said so. An endpoint that just failed is believed
// to lead only in a newer term: its followers may not know yet.
func (c *Client) follow(from *endpoint, hint *candor.LeaderHint) {
	if hint == nil {
		return
	}
	known := c.leader.current()
	if known.endpoint != nil && hint.Term <= known.term {
		return
	}
	ep := c.directory.resolve(from, hint)
	if ep == nil || hint.Term <= known.term && c.directory.suspect(ep) {
		return
	}
	c.learnLeader(ep, hint.ServerID, hint.Term)
}

func (c *Client) learnLeader(ep *endpoint, serverID string, term uint64) {
	if c.leader.learn(ep, serverID, term) && c.log.IsDebug() {
		c.log.Debug("leader learnt", "endpoint", ep.addr, "server", serverID, "term", term)
	}
}

// avoid keeps a failed endpoint out of the rotation: longer if it was silent
// than if it could not be reached, for finding that out again costs a whole
// attempt.
func (c *Client) avoid(ctx context.Context, ep *endpoint, code codes.Code) {
	if code != codes.DeadlineExceeded {
		c.directory.avoid(ep, suspectUnreachable)
		return
	}
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) < firstPause {
		return // the caller's own deadline, told by the server first
	}
	c.directory.avoid(ep, suspectSilent)
}

// refreshWithin bounds the question for members, which one caller asks for all.
const refreshWithin = 500 * time.Millisecond

// refresh asks the node at ep for the members when that is due.
func (c *Client) refresh(ctx context.Context, ep *endpoint) {
	if c.directory.claimRefresh(false) {
		c.askMembers(ctx, ep)
	}
}

// refreshSoon does so earlier than usual: the nodes that are known do not do.
func (c *Client) refreshSoon(ctx context.Context, ep *endpoint) {
	if c.directory.suspect(ep) {
		ep = c.directory.after(ep)
	}
	if !c.directory.suspect(ep) && c.directory.claimRefresh(true) {
		c.askMembers(ctx, ep)
	}
}

// askMembers is best effort: without an answer the rotation stays as it is.
func (c *Client) askMembers(ctx context.Context, ep *endpoint) {
	ctx, cancel := context.WithTimeout(ctx, refreshWithin)
	defer cancel()
	var out candorv1.MembersResponse
	err := ep.conn().Invoke(ctx, candorv1.ClusterService_Members_FullMethodName, &candorv1.MembersRequest{}, &out)
	if err != nil {
		c.log.Debug("members not learnt", "endpoint", ep.addr, "error", err)
		return
	}
	c.directory.setMembers(out.GetMembers())
	c.clock.observe(out.GetClusterTime())
}

// witnessOf is the witness that a refusal came with, or one that says nothing.
func witnessOf(err error) candor.Witness {
	if e, ok := errors.AsType[*candor.Error](err); ok && e.Witness != nil {
		return *e.Witness
	}
	return candor.Witness{}
}
