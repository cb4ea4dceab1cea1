package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// A stage is a network of scripted nodes. They answer what the test tells them
// to, and know nothing of what a store does.
type stage struct {
	t     *testing.T
	mu    sync.Mutex
	nodes map[string]*node
}

// node is one scripted server.
type node struct {
	name, addr string

	mu      sync.Mutex
	down    bool
	scripts map[string]script
	calls   []*call
	lis     *pipes
	srv     *grpc.Server
}

// script answers one call: it may send messages, and its error ends the call.
type script func(c *call) error

// call is one request as it arrived.
type call struct {
	context.Context
	node   *node
	method string
	in     proto.Message
	actor  string
	send   func(proto.Message) error
	// recv is the next message of a stream of calls, carried says that the call came
	// over one.
	recv    func(proto.Message) error
	carried bool
}

func newStage(t *testing.T, names ...string) *stage {
	t.Helper()
	s := &stage{t: t, nodes: map[string]*node{}}
	for _, name := range names {
		s.add(name)
	}
	return s
}

// add starts a node at address "NAME:1".
func (s *stage) add(name string) *node {
	n := &node{name: name, addr: name + ":1", scripts: map[string]script{}}
	n.start()
	s.mu.Lock()
	s.nodes[n.addr] = n
	s.mu.Unlock()
	s.t.Cleanup(n.stop)
	return n
}

func (s *stage) node(name string) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[name+":1"]
}

// each calls f for every node.
func (s *stage) each(f func(n *node)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.nodes {
		f(n)
	}
}

func (s *stage) dial(ctx context.Context, addr string) (net.Conn, error) {
	s.mu.Lock()
	n := s.nodes[addr]
	s.mu.Unlock()
	if n == nil {
		return nil, fmt.Errorf("no route to %s", addr)
	}
	n.mu.Lock()
	lis, down := n.lis, n.down
	n.mu.Unlock()
	if down {
		return nil, fmt.Errorf("%s refuses the connection", addr)
	}
	return lis.DialContext(ctx)
}

// client connects to the named nodes; configure may change the configuration.
func (s *stage) client(names []string, configure ...func(*client.Config)) *client.Client {
	s.t.Helper()
	cfg := client.Config{Actor: "ana", Dialer: s.dial}
	for _, name := range names {
		cfg.Endpoints = append(cfg.Endpoints, name+":1")
	}
	for _, f := range configure {
		f(&cfg)
	}
	c, err := client.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			s.t.Errorf("close: %v", err)
		}
	})
	return c
}

func (n *node) start() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = false
	n.lis = newPipes()
	n.srv = grpc.NewServer(grpc.UnknownServiceHandler(n.serve), grpc.MaxRecvMsgSize(8<<20), grpc.MaxSendMsgSize(16<<20))
	go func(srv *grpc.Server, lis net.Listener) { _ = srv.Serve(lis) }(n.srv, n.lis)
}

// stop ends the node and every call to it, as a kill does.
func (n *node) stop() {
	n.mu.Lock()
	n.down = true
	srv := n.srv
	n.mu.Unlock()
	srv.Stop()
}

// on sets the script for a method, such as "Get".
func (n *node) on(method string, f script) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.scripts[method] = f
}

// count is how many calls of the method arrived.
func (n *node) count(method string) int { return len(n.arrived(method)) }

// arrived are the requests of the method, in order.
func (n *node) arrived(method string) []*call {
	n.mu.Lock()
	defer n.mu.Unlock()
	var calls []*call
	for _, c := range n.calls {
		if c.method == method {
			calls = append(calls, c)
		}
	}
	return calls
}

func (n *node) serve(_ any, stream grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(stream)
	name := path[strings.LastIndex(path, "/")+1:]
	in, err := requestOf(path)
	if err != nil {
		return err
	}
	if name != "Calls" && name != "Watches" {
		if err := stream.RecvMsg(in); err != nil {
			return err
		}
	}
	c := &call{
		Context: stream.Context(), node: n, method: name, in: in,
		send: func(m proto.Message) error { return stream.SendMsg(m) }, recv: func(m proto.Message) error { return stream.RecvMsg(m) },
	}
	if md, ok := metadata.FromIncomingContext(stream.Context()); ok {
		c.actor = strings.Join(md.Get("candor-actor"), ",")
	}
	n.mu.Lock()
	n.calls = append(n.calls, c)
	f := n.scripts[name]
	n.mu.Unlock()
	if f == nil && (name == "Calls" || name == "Watches") { // as an old server
		return status.Error(codes.Unimplemented, "unknown service candor.v1.CallService")
	}
	if f == nil {
		f = func(*call) error { return fmt.Errorf("node %s has no script for %s", n.name, name) }
	}
	if err := f(c); err != nil {
		return wire(err)
	}
	return nil
}

// wire sends a *candor.Error as a server does, and any other error as it is.
func wire(err error) error {
	if _, ours := errors.AsType[*candor.Error](err); ours {
		return convert.StatusFromError(err).Err()
	}
	return err
}

// requestOf makes an empty request message for "/service/method".
func requestOf(path string) (proto.Message, error) {
	full := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "."))
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(full)
	if err != nil {
		return nil, err
	}
	t, err := protoregistry.GlobalTypes.FindMessageByName(d.(protoreflect.MethodDescriptor).Input().FullName())
	if err != nil {
		return nil, err
	}
	return t.New().Interface(), nil
}

// witness is what node n says of itself at token, as term's leader if it is named.
func (n *node) witness(token candor.Token, leader *node) *candorv1.Witness {
	w := &candorv1.Witness{
		NodeId: n.name + "-id", NodeName: n.name, BootId: "boot-1", ClusterId: "c1", HistoryId: "h1",
		ServedRootToken: convert.TokenToProto(token), ServedByLeader: n == leader, ClusterTime: int64(time.Hour),
		RequestedFreshness: candorv1.Freshness_FRESHNESS_STRONG, ServedFreshness: candorv1.Freshness_FRESHNESS_STRONG,
		ServingClass: candorv1.ServingClass_SERVING_CLASS_AUTHORITATIVE, Mechanism: candorv1.Mechanism_MECHANISM_FOLLOWER_READ_INDEX,
		CatchUpState: candorv1.CatchUpState_CATCH_UP_STATE_FRESH, DegradedMode: candorv1.DegradedMode_DEGRADED_MODE_HEALTHY,
		RootLag: new(uint64(0)), StalenessBound: durationpb.New(time.Millisecond),
	}
	if n == leader {
		w.Mechanism = candorv1.Mechanism_MECHANISM_LEADER_READ_INDEX
	}
	if leader != nil {
		w.LeaderHint = &candorv1.LeaderHint{ServerId: leader.name + "-id", Name: leader.name, Address: leader.addr, Term: token.Term}
	}
	return w
}

// weaker is an honest witness of a class that any node can serve, with a proof.
func (n *node) weaker(class candorv1.Freshness, at candor.Token) *candorv1.Witness {
	w := n.witness(at, nil)
	w.RequestedFreshness, w.ServedFreshness = class, class
	w.ServingClass, w.Mechanism = candorv1.ServingClass_SERVING_CLASS_BOUNDED_STALE, candorv1.Mechanism_MECHANISM_PROVEN_VIEW
	return w
}

// ownWord is what n says of itself without asking anyone.
func (n *node) ownWord(at candor.Token, leader *node) *candorv1.Witness {
	w := n.witness(at, leader)
	w.RequestedFreshness, w.ServedFreshness = 0, candorv1.Freshness_FRESHNESS_BEST_EFFORT
	w.ServingClass, w.Mechanism = candorv1.ServingClass_SERVING_CLASS_DEGRADED, candorv1.Mechanism_MECHANISM_VIEW
	w.CatchUpState, w.DegradedMode, w.RootLag, w.StalenessBound = 0, 0, nil, nil
	return w
}

// freshnessOf is the class that a read asks for.
func freshnessOf(c *call) candorv1.Freshness {
	return c.in.(interface{ GetRead() *candorv1.ReadOptions }).GetRead().GetFreshness()
}

// answers serves reads of one object at token, of any class but STRONG.
func (n *node) answers(at candor.Token) script {
	return func(c *call) error {
		return c.send(&candorv1.GetResponse{Object: webObject(at.Revision), Witness: n.weaker(freshnessOf(c), at)})
	}
}

func token(index uint64) candor.Token { return candor.Token{Term: 1, Index: index, Revision: index} }

// gets answers reads of one object at token, as the leader.
func (n *node) gets(at candor.Token, leader *node) script {
	return func(c *call) error {
		return c.send(&candorv1.GetResponse{Object: webObject(at.Revision), Witness: n.witness(at, leader)})
	}
}

// writes acknowledges at token, as the leader.
func (n *node) writes(at candor.Token) script {
	return func(c *call) error { return c.send(&candorv1.CreateResponse{Result: n.result(at)}) }
}

func (n *node) result(at candor.Token) *candorv1.WriteResult {
	return &candorv1.WriteResult{
		Object: webObject(at.Revision), AcceptedRootToken: convert.TokenToProto(at), Changed: true, Witness: n.witness(at, n),
	}
}

// statuses answers Status.
func (n *node) statuses(at candor.Token, leader *node) script {
	return func(c *call) error {
		return c.send(&candorv1.StatusResponse{NodeName: n.name, Witness: n.ownWord(at, leader)})
	}
}

// refuses answers with an error each time.
func refuses(err *candor.Error) script { return func(*call) error { return err } }

// notLeader refuses and hints at leader, nil for none.
func notLeader(leader *node, term uint64) script {
	e := &candor.Error{Reason: candor.ReasonNotLeader, Message: "this node does not lead"}
	if leader != nil {
		e.Leader = &candor.LeaderHint{ServerID: leader.name + "-id", Name: leader.name, Address: leader.addr, Term: term}
	}
	return refuses(e)
}

// hangs answers nothing until the call is given up.
func hangs(c *call) error {
	<-c.Done()
	return c.Err()
}

// sequence answers the first call with the first script and so on; the last
// one stays.
func sequence(scripts ...script) script {
	var mu sync.Mutex
	next := 0
	return func(c *call) error {
		mu.Lock()
		f := scripts[min(next, len(scripts)-1)]
		next++
		mu.Unlock()
		return f(c)
	}
}

var web = candor.Ref{Kind: "deployments.apps.example", Namespace: "default", Name: "web"}

func webObject(revision uint64) *candorv1.Object {
	return &candorv1.Object{
		ApiVersion: "apps.example/v1", Kind: "Deployment", Spec: []byte(`{"replicas":3}`),
		Metadata: &candorv1.Metadata{Name: "web", Namespace: "default", Uid: "u-1", ResourceVersion: revision},
	}
}

func deployment() *candor.Object {
	return &candor.Object{
		APIVersion: "apps.example/v1", Kind: "Deployment",
		Metadata: candor.Metadata{Name: "web", Namespace: "default"}, Spec: []byte(`{"replicas":3}`),
	}
}

// wantReason fails the test unless err has the reason.
func wantReason(t *testing.T, err error, want candor.Reason) {
	t.Helper()
	if got := candor.ReasonOf(err); got != want {
		t.Fatalf("got %v, want reason %s", err, want)
	}
}

func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
