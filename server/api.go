package server

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/codec"
	"github.com/candor-plane/candor/server/auth"
	"github.com/candor-plane/candor/server/grpcapi"
	"github.com/candor-plane/candor/server/kinds"
)

// maxMessage bounds one gRPC message.
const maxMessage = 8 << 20

// wireAPI builds the gRPC server with its services; nothing is served yet.
func (s *Server) wireAPI() {
	s.advice = newAdvice(s.machine)
	s.kinds = kinds.New(&kindSource{machine: s.machine})
	known := registry{s.kinds}
	n := &node{s}
	s.authenticator = auth.Authenticator{View: s.machine.View}
	s.health = health.NewServer()
	s.grpc = grpc.NewServer(append(append(append(s.tracing(), grpcapi.Interceptors(&entrance{s, known}, s.logger.Named("api"))...), s.secureAPI()...),
		grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(2*maxMessage), grpc.MaxConcurrentStreams(4096),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
		grpc.WriteBufferSize(64<<10), grpc.ReadBufferSize(64<<10), grpc.NumStreamWorkers(1024),
		grpc.ForceServerCodecV2(codec.New()), grpc.StaticStreamWindowSize(1<<20), grpc.StaticConnWindowSize(8<<20),
	)...)
	objects := grpcapi.NewObjects(s.machine, views{s.reader}, s.proposer, known, s.feed, outcomes{s.replica.Outcomes}, s.advice, s.stopping)
	candorv1.RegisterObjectServiceServer(s.grpc, objects)
	candorv1.RegisterCallServiceServer(s.grpc, grpcapi.NewCalls(objects, s.way(grpcapi.Door(&entrance{s, known}, s.logger.Named("api"))), s.stopping, &s.wait))
	candorv1.RegisterClusterServiceServer(s.grpc, grpcapi.NewCluster(s.machine, views{s.reader}, s.proposer, known, &topology{s}, n))
	candorv1.RegisterDiagnosticsServiceServer(s.grpc, grpcapi.NewDiagnostics(s.machine, views{s.reader}, n, s.journal(), s.stopping))
	candorv1.RegisterNodeServiceServer(s.grpc, grpcapi.NewNodes(s.trust, auditTail{s}, gossipRing{s}, views{s.reader}, s.machine, s.feed, s.stopping))
	candorv1.RegisterAccessServiceServer(s.grpc, grpcapi.NewAccess(s.machine, views{s.reader}, s.proposer, known, resets{s.config.Data}, s.config.Auth))
	candorv1.RegisterTransitionServiceServer(s.grpc, grpcapi.NewTransitions(s.machine, views{s.reader}, s.proposer, &duties{s}))
	candorv1.RegisterTenureServiceServer(s.grpc, grpcapi.NewTenures(s.machine, views{s.reader}, s.proposer, &duties{s}))
	candorv1.RegisterAllocServiceServer(s.grpc, grpcapi.NewAllocs(&duties{s}))
	candorv1.RegisterWorkerServiceServer(s.grpc, grpcapi.NewWorkers(s.machine, views{s.reader}, s.proposer, known))
	why := s.explaining()
	candorv1.RegisterExplainServiceServer(s.grpc, grpcapi.NewExplains(s.machine, views{s.reader}, known, why, why, controlled{s}))
	candorv1.RegisterPeerServiceServer(s.grpc, grpcapi.NewPeers(&peerSide{s}))
	healthv1.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	s.health.SetServingStatus("", healthv1.HealthCheckResponse_SERVING)
	s.health.SetServingStatus("candor.write", healthv1.HealthCheckResponse_NOT_SERVING)
	s.health.SetServingStatus("candor.read", healthv1.HealthCheckResponse_SERVING)
}
