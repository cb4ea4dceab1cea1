package client

import (
	"context"
	"encoding/json"
	"net"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/identity"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
)

const (
	// maxMessage bounds a message in either direction.
	maxMessage = 8 << 20
	// maxReconnect bounds the pause between attempts to connect, so that a
	// server that came back is found at once.
	maxReconnect = 500 * time.Millisecond
)

type dialer struct {
	dial        func(ctx context.Context, addr string) (net.Conn, error)
	connections int
	// secret: calls carry a token that nobody else may read.
	secret bool
	// plain: connections are without TLS.
	plain   bool
	options []grpc.DialOption
	// caller is what streams of calls say of who makes them; unary: there are none.
	caller metadata.MD
	unary  bool
}

// open makes an endpoint; it connects when first used.
func (d dialer) open(addr string) (*endpoint, error) {
	if _, _, err := net.SplitHostPort(addr); err != nil && d.dial == nil {
		return nil, candor.Errorf(candor.ReasonInvalid, "client: endpoint %q: want host:port: %w", addr, err)
	}
	if d.secret {
		if err := checkClear(addr); err != nil {
			return nil, err
		}
	}
	ep := &endpoint{addr: addr, plain: d.plain}
	for range d.connections {
		conn, err := grpc.NewClient("passthrough:///"+addr, d.options...)
		if err != nil {
			return nil, candor.Errorf(candor.ReasonInvalid, "client: endpoint %q: %w", addr, err)
		}
		ep.lines = append(ep.lines, newCallLine(conn, d.caller, d.unary))
	}
	return ep, nil
}

// Windows in bytes: what one stream, and all streams of a connection, may have
// on the way to a reader that is slow.
const (
	streamWindow     = 1 << 20
	connectionWindow = 8 << 20
)

func dialOptions(cfg Config, attempt time.Duration) []grpc.DialOption {
	proof := insecure.NewCredentials()
	if cfg.TLS != nil {
		proof = credentials.NewTLS(cfg.TLS.Client(identity.OneOf(candor.PartyServer), "h2"))
	}
	options := []grpc.DialOption{
		grpc.WithTransportCredentials(proof),
		grpc.WithDefaultServiceConfig(serviceConfig(attempt)),
		grpc.WithDisableRetry(), // what may be repeated, and where, is decided here (see pursuit)
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(codec.New())),
		// Fixed windows: gRPC would otherwise measure the connection with a ping
		// for each burst of answers.
		grpc.WithStaticStreamWindowSize(streamWindow), grpc.WithStaticConnWindowSize(connectionWindow),
		grpc.WithUserAgent("candor-go"),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: maxReconnect},
			MinConnectTimeout: 2 * time.Second,
		}),
	}
	if cfg.Dialer != nil {
		options = append(options, grpc.WithContextDialer(cfg.Dialer))
	}
	return options
}

// serviceConfig bounds messages, and the attempts of calls that are answered at
// once. A deadline set here costs gRPC nothing extra where the caller's is
// nearer. Streams, changes of membership, handovers, repairs and trials of every
// class of reads take as long as they take.
func serviceConfig(attempt time.Duration) string {
	type name struct {
		Service string `json:"service,omitempty"`
		Method  string `json:"method,omitempty"`
	}
	type methods struct {
		Name        []name `json:"name"`
		Timeout     string `json:"timeout,omitempty"`
		MaxRequest  int    `json:"maxRequestMessageBytes"`
		MaxResponse int    `json:"maxResponseMessageBytes"`
	}
	objects := candorv1.ObjectService_ServiceDesc.ServiceName
	cluster := candorv1.ClusterService_ServiceDesc.ServiceName
	tenures := candorv1.TenureService_ServiceDesc.ServiceName
	diagnostics := candorv1.DiagnosticsService_ServiceDesc.ServiceName
	prompt := []name{
		{Service: candorv1.AccessService_ServiceDesc.ServiceName},
		{Service: candorv1.AllocService_ServiceDesc.ServiceName},
		{Service: tenures, Method: "Tenures"},
		{Service: tenures, Method: "ChangeTenure"},
		{Service: objects},
		{Service: diagnostics, Method: "Node"},
		{Service: diagnostics, Method: "Digests"},
		{Service: diagnostics, Method: "Records"},
		{Service: cluster, Method: "Status"},
		{Service: cluster, Method: "Members"},
	}
	config, err := json.Marshal(map[string][]methods{"methodConfig": {
		{Name: []name{{}, {Service: objects, Method: "Watch"}}, MaxRequest: maxMessage, MaxResponse: maxMessage},
		{Name: prompt, Timeout: seconds(attempt), MaxRequest: maxMessage, MaxResponse: maxMessage},
	}})
	if err != nil {
		panic(err) // unreachable: strings and numbers have a JSON form
	}
	return string(config)
}

// seconds is the JSON form of a google.protobuf.Duration.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 9, 64) + "s"
}
