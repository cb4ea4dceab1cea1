package servertest_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

type method = protoreflect.MethodDescriptor

// caller is one who comes, with a connection of its own and nothing of a client's
// cleverness.
type caller struct {
	name, about string
	// actor and proof are as whom the account names it.
	actor, proof string
	// bearer is its token, claim the name that it gives itself; empty for none.
	bearer, claim string
	// mighty callers may do what ends the cluster: they ask for it in a way that
	// does not.
	mighty bool
	// own is the server ID of a server.
	own  string
	conn *grpc.ClientConn
	// streams: what can come over a stream of calls does.
	streams bool
}

// call asks, and of a stream takes the first answer.
func (c *caller) call(t *testing.T, m method, in proto.Message) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if c.bearer != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.bearer)
	}
	if c.claim != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "candor-actor", c.claim)
	}
	answer, err := protoregistry.GlobalTypes.FindMessageByName(m.Output().FullName())
	noError(t, err)
	out, full := answer.New().Interface(), "/"+string(m.Parent().FullName())+"/"+string(m.Name())
	if c.streams && isCarried(full) {
		return convert.ErrorFromStatus(overStream(ctx, c.conn, full, in, out))
	}
	if !m.IsStreamingServer() {
		return convert.ErrorFromStatus(c.conn.Invoke(ctx, full, in, out))
	}
	stream, err := c.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: m.IsStreamingClient()}, full)
	if err != nil {
		return convert.ErrorFromStatus(err)
	}
	// What ended the stream RecvMsg says.
	_ = stream.SendMsg(in)
	_ = stream.CloseSend()
	if err := stream.RecvMsg(out); !errors.Is(err, io.EOF) {
		return convert.ErrorFromStatus(err)
	}
	return nil
}

// registered are the methods of every service that a server serves, as it says
// itself.
func (r *roles) registered() (methods []method) {
	r.t.Helper()
	stream, err := reflectionv1.NewServerReflectionClient(r.callers[0].conn).ServerReflectionInfo(r.t.Context())
	noError(r.t, err)
	noError(r.t, stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}))
	answer, err := stream.Recv()
	noError(r.t, err)
	noError(r.t, stream.CloseSend())
	for _, s := range answer.GetListServicesResponse().GetService() {
		found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(s.GetName()))
		noError(r.t, err)
		service, ok := found.(protoreflect.ServiceDescriptor)
		if !ok {
			r.t.Fatalf("%s is no service", s.GetName())
		}
		for i := range service.Methods().Len() {
			methods = append(methods, service.Methods().Get(i))
		}
	}
	return methods
}

// rolesInTheClear is a cluster without certificates.
func rolesInTheClear(t *testing.T) *roles {
	t.Helper()
	data := t.TempDir()
	c := servertest.Start(t, servertest.WithData(data))
	r := &roles{keys: openAccess(t, c)}
	r.begin(data)
	bound, useless := r.bearers()
	inTheClear := grpc.WithTransportCredentials(insecure.NewCredentials())
	r.admit(inTheClear, &caller{name: "nobody", about: "has no token", actor: candor.ActorAnonymous, proof: "none"})
	r.admit(inTheClear, &caller{name: "says so", about: "has no token either, and says that it is the administrator", actor: "root", claim: "root", proof: "none"})
	r.admit(inTheClear, append(bound, useless...)...)
	return r
}

// rolesByCertificate is one whose parties prove who they are.
func rolesByCertificate(t *testing.T) *roles {
	t.Helper()
	data, authority := t.TempDir(), servertest.NewAuthority(t, "c-1")
	c := servertest.Start(t, servertest.WithData(data), servertest.WithTLS(authority, "n1", "n2", "n3"))
	showing := func(files identity.Files) grpc.DialOption {
		return grpc.WithTransportCredentials(credentials.NewTLS(authority.Source(files).Client(identity.OneOf(candor.PartyServer), "h2")))
	}
	trusting := authority.Issue(candor.PartyClient, "nobody")
	trusting.Cert, trusting.Key = "", ""
	// Whoever opens access control has to be sure of the server that it speaks to.
	r := &roles{keys: openSecuredAccess(t, c, authority.Source(trusting))}
	r.begin(data)
	own := r.ids["n2"]
	bound, useless := r.bearers()
	r.admit(showing(trusting), &caller{name: "nobody", about: "has neither certificate nor token", actor: candor.ActorAnonymous, proof: "none"})
	r.admit(showing(trusting), bound...)
	r.admit(showing(authority.Issue(candor.PartyWorker, "w1")),
		&caller{name: "worker (certificate)", about: "a worker, by its certificate", actor: "worker/w1", proof: "certificate"})
	r.admit(showing(authority.Issue(candor.PartyServer, own)),
		&caller{name: "server", about: "another server of the cluster, by its certificate", actor: "server/" + own, proof: "certificate", own: own})
	r.admit(showing(trusting), useless...)
	return r
}

// rolesOverStreams is the same cluster, asked over streams of calls.
func rolesOverStreams(t *testing.T) *roles {
	t.Helper()
	r := rolesByCertificate(t)
	for _, c := range r.callers {
		c.streams = true
	}
	return r
}

// openSecuredAccess opens access control of a cluster that speaks TLS.
func openSecuredAccess(t *testing.T, c *servertest.Cluster, trusting *identity.Source) *keys {
	t.Helper()
	token := client.NewToken()
	with := func(bearer string) *client.Client {
		k, err := client.New(client.Config{Endpoints: []string{"n1", "n2", "n3"}, Token: bearer, TLS: trusting, Dialer: c.Dialer()})
		noError(t, err)
		t.Cleanup(func() { noError(t, k.Close()) })
		return k
	}
	_, err := with("").Access("").Open(t.Context(), client.Opening{Actor: "root", Token: token, Expires: time.Now().Add(24 * time.Hour)})
	noError(t, err)
	k := &keys{t: t, cluster: c, root: with(token.String())}
	k.settle()
	return k
}

// begin prepares what the callers are to find.
func (r *roles) begin(data string) {
	r.t.Helper()
	r.ids = map[string]string{}
	for _, m := range r.leader().Machine().View().Members() {
		r.ids[m.Name] = m.ServerID
	}
	r.account = &account{t: r.t, path: filepath.Join(data, r.asked(), "audit", "audit.log")}
	_, err := r.root.Create(r.t.Context(), kindOf("widgets", "Widget"))
	noError(r.t, err)
}

func (r *roles) leader() *server.Server { return r.cluster.Leader() }

// asked is the server that everybody asks: the leader, which none of them unseats.
func (r *roles) asked() string { return r.leader().Name() }

func (r *roles) admit(how grpc.DialOption, callers ...*caller) {
	r.t.Helper()
	for _, c := range callers {
		conn, err := grpc.NewClient("passthrough:///"+r.asked(), grpc.WithContextDialer(r.cluster.Dialer()), how)
		noError(r.t, err)
		r.t.Cleanup(func() { _ = conn.Close() })
		c.conn = conn
		r.callers = append(r.callers, c)
	}
}

// bearers are the callers with tokens. Those whose tokens are of no use any more
// would be administrators with them.
func (r *roles) bearers() (bound, useless []*caller) {
	r.t.Helper()
	issue := func(actor, role string, expires time.Time) candor.Bearer {
		b := client.NewToken()
		_, err := r.root.Create(r.t.Context(), accessObject("Token", b.Accessor, `{"actor":"`+actor+`","hash":"`+client.HashOf(b)+`","expires":"`+expires.UTC().Format(time.RFC3339)+`"}`))
		noError(r.t, err)
		if role != "" {
			_, err = r.root.Create(r.t.Context(), accessObject("RoleBinding", actor+"-"+role, `{"role":"`+role+`","subjects":["`+actor+`"]}`))
			noError(r.t, err)
		}
		return b
	}
	later := time.Now().Add(24 * time.Hour)
	of := func(name, about, actor, role string) *caller {
		mighty := role == "admin" || role == "operator"
		return &caller{name: name, about: about, actor: actor, proof: "token", bearer: issue(actor, role, later).String(), mighty: mighty}
	}
	revoked := issue("rita", "admin", later)
	_, err := r.root.Delete(r.t.Context(), candor.Ref{Kind: candor.KindTokens, Name: revoked.Accessor})
	noError(r.t, err)
	expired := issue("emil", "admin", time.Now().Add(2*time.Second))
	time.Sleep(3 * time.Second) // of virtual time
	by := func(name, about string, b candor.Bearer) *caller {
		return &caller{name: name, about: about, actor: candor.ActorAnonymous, proof: "none", bearer: b.String()}
	}
	bound = []*caller{
		of("unbound", "has a token and no role", "nick", ""),
		of("viewer", "has a token and this role", "vera", "viewer"),
		of("operator", "has a token and this role", "olga", "operator"),
		of("admin", "has a token and this role", "ada", "admin"),
		of("worker (token)", "a worker, by a token", "worker/w2", ""),
	}
	useless = []*caller{
		by("revoked", "has an administrator's token that was revoked", revoked),
		by("expired", "has an administrator's token that has expired", expired),
	}
	r.settle()
	return bound, useless
}
