package server

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/coordinator"
	"github.com/candor-plane/candor/coordinator/allocator"
	"github.com/candor-plane/candor/coordinator/controller"
	"github.com/candor-plane/candor/coordinator/placing"
	members "github.com/candor-plane/candor/coordinator/topology"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/identity"
	"github.com/candor-plane/candor/server/audit"
	"github.com/candor-plane/candor/server/auth"
	"github.com/candor-plane/candor/server/diag"
	"github.com/candor-plane/candor/server/feed"
	"github.com/candor-plane/candor/server/gossip"
	"github.com/candor-plane/candor/server/kinds"
	"github.com/candor-plane/candor/server/limit"
	"github.com/candor-plane/candor/server/link"
	"github.com/candor-plane/candor/server/read"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/replica/datadir"
	"github.com/candor-plane/candor/server/trust"
)

// Server is one running node.
type Server struct {
	config    Config
	logger    hclog.Logger
	serverID  string
	bootID    string
	clusterID string
	historyID string
	// past is what servers have in common that may speak to one another; see belonging.
	past      string
	startedAt time.Time

	dir       *datadir.Dir
	machine   *fsm.Machine
	replica   *replica.Replica
	directory *directory
	proposer  *proposer
	reader    *read.Reader
	trust     *trust.Keeper
	// authenticator knows callers by the newest view.
	authenticator auth.Authenticator
	// own are this server's certificates; nil without TLS.
	own               *identity.Source
	handshakesRefused atomic.Uint64
	// joinToken lets this server join; zero where it needs none.
	joinToken candor.Bearer
	limits    limits
	// audit is nil where no account is kept.
	audit *audit.Log
	// coordinator holds duties; ids and tso are nil while theirs is not held here.
	coordinator *coordinator.Coordinator
	// executor carries out membership changes while this server holds topology.
	executor  *members.Executor
	reckoning reckoning
	gates     gates
	ends      ends
	ids       atomic.Pointer[allocator.IDs]
	tso       atomic.Pointer[allocator.TSO]
	idsGiven  allocated
	tsoGiven  allocated
	feed      *feed.Feed
	// kinds are those that the newest view declares; mirror is for duties that look at
	// many objects.
	kinds  *kinds.Registry
	advice *advice
	mirror mirror
	// controllers and placer are nil while their duty is not held here.
	controllers atomic.Pointer[controller.Runtime]
	placer      atomic.Pointer[placing.Placer]
	verifying   verifying
	gossip      *gossip.Gossip
	// keyring encrypts gossip; nil where it is in the clear.
	keyring    *gossip.Keyring
	debug      *diag.Listener
	layer      *link.Layer
	listener   net.Listener
	grpc       *grpc.Server
	health     *health.Server
	writes     *writePath
	hint       newestHint
	apiAddress string
	raftAddr   raft.ServerAddress

	cancel   context.CancelFunc
	stopping chan struct{}
	wait     sync.WaitGroup
	close    sync.Once
	closeErr error
}

// Start begins a node. The context bounds Start alone.
func Start(ctx context.Context, config Config) (_ *Server, err error) {
	if config.Logger == nil {
		panic("server: a logger is required")
	}
	if config.Freshness.Beacon == 0 {
		config.Freshness = DefaultFreshness()
	}
	if err := config.check(); err != nil {
		return nil, err
	}
	if config.RetainRevisions == 0 {
		config.RetainRevisions = defaultRetain
	}
	s := &Server{
		config: config, logger: config.Logger, bootID: uuid.NewString(), startedAt: time.Now(),
		stopping: make(chan struct{}),
	}
	s.mirror.s = s
	s.directory = newDirectory(config.Seams.Dial, s.toServers)
	defer func() {
		if err != nil {
			s.abandon()
		}
	}()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	if err := s.wire(); err != nil {
		return nil, err
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	if err := s.startGossip(background); err != nil {
		return nil, candor.Wrap("--gossip", err)
	}
	if err := s.startCoordination(); err != nil {
		return nil, err
	}
	if err := s.listenDebug(); err != nil {
		return nil, err
	}
	s.serve()
	s.run(func() { s.live(background) })
	s.run(func() { s.announcements(background) })
	return s, nil
}

// open binds the API, takes the data directory and learns whose it is.
func (s *Server) open(ctx context.Context) error {
	if err := s.listen(); err != nil {
		return err
	}
	s.serverID = uuid.NewString()
	if s.config.Data != "" {
		dir, err := datadir.Open(s.config.Data, datadir.Options{Name: s.config.Name, LogStore: datadir.LogStore(s.config.LogStore), Logger: s.logger.Named("datadir")})
		if err != nil {
			return err
		}
		of := dir.Identity()
		s.dir, s.serverID, s.clusterID, s.historyID = dir, of.ServerID, of.ClusterID, of.HistoryID
	}
	if err := s.openIdentity(); err != nil {
		return err
	}
	if err := s.openAudit(); err != nil {
		return err
	}
	if s.clusterID == "" {
		id, history, err := s.chooseCluster(ctx)
		if err != nil {
			return err
		}
		s.clusterID, s.historyID = id, history
	} else if err := s.checkCluster(ctx); err != nil {
		return err
	}
	s.machine = fsm.New(fsm.Config{ClusterID: s.clusterID, OnFault: s.reportFault})
	s.belong(s.machine.View().HistoryID())
	if s.dir != nil && s.dir.Identity().ClusterID == "" {
		return s.dir.SetCluster(s.clusterID, s.historyID)
	}
	return nil
}

// chooseCluster is the cluster that a server without data begins in, and its history
// where that is not the one with which the cluster began.
func (s *Server) chooseCluster(ctx context.Context) (id, history string, err error) {
	switch {
	case s.own != nil && (len(s.config.InitialCluster) > 0 || s.config.Bootstrap && len(s.config.Join) == 0):
		return s.own.Material().Cluster, "", nil
	case len(s.config.InitialCluster) > 0:
		return clusterIDOf(s.config.InitialCluster, s.config.ClusterToken), "", nil
	case len(s.config.Join) > 0:
		return s.clusterToJoin(ctx)
	case s.config.Bootstrap:
		return uuid.NewString(), "", nil
	default:
		return "", "", candor.Errorf(candor.ReasonUsage, "server %s has no cluster yet and was not told how to begin: pass --initial-cluster, --bootstrap or --join", s.config.Name)
	}
}

func (s *Server) listen() error {
	l, err := s.bind(s.config.API)
	if err != nil {
		return candor.Errorf(candor.ReasonAddressInUse, "--api: cannot listen on %s: %w", s.config.API, err)
	}
	s.listener, s.apiAddress = l, l.Addr().String()
	return s.openLimits()
}

// transport is how raft reaches the others.
func (s *Server) transport() (raft.Transport, error) {
	listener, err := s.bind(s.config.Raft)
	if err != nil {
		return nil, candor.Errorf(candor.ReasonAddressInUse, "--raft: cannot listen on %s: %w", s.config.Raft, err)
	}
	if listener, err = limit.NewGate(listener, serverGate(), s.closedOut); err != nil {
		return nil, err
	}
	dial := s.config.Seams.Dial
	if dial == nil {
		dial = func(ctx context.Context, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}
	}
	var secure link.Secure
	if s.own != nil {
		secure = secureLink{s}
	}
	s.layer = link.New(link.Config{
		Secure: secure, Listener: listener, Dial: dial, ClusterID: s.past, ServerID: s.serverID, Logger: s.logger.Named("link"),
	})
	s.raftAddr = raft.ServerAddress(s.layer.Addr().String())
	if s.config.Seams.Transport != nil {
		t, address, err := s.config.Seams.Transport(s.serverID)
		s.raftAddr = address
		return t, err
	}
	return replica.NewTransport(s.layer, s.logger.Named("raft-net")), nil
}

func (s *Server) bind(address string) (net.Listener, error) {
	if s.config.Seams.Listen != nil {
		return s.config.Seams.Listen(address)
	}
	return net.Listen("tcp", address)
}

func (s *Server) self() raft.Server {
	return raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(s.serverID), Address: s.raftAddr}
}

// wire builds the replica and everything that stands on it.
func (s *Server) wire() error {
	transport, err := s.transport()
	if err != nil {
		return err
	}
	var peers replica.Peers = s.peers()
	if wrap := s.config.Seams.WrapPeers; wrap != nil {
		peers = wrap(peers)
	}
	s.replica, err = replica.New(replica.Config{
		Dir: s.dir, ServerID: s.serverID, Machine: s.machine,
		Transport: transport, WrapLogStore: s.config.Seams.WrapLogStore, Clock: s.config.Seams.Clock,
		Peers: peers, Settings: s.config.Settings,
		Logger: s.logger.Named("replica"), OnFatal: s.config.Seams.OnFatal,
	})
	if err != nil {
		return err
	}
	if err := s.checkRaftAddress(); err != nil {
		return err
	}
	if err := s.openJoinToken(); err != nil {
		return err
	}
	s.proposer, s.writes = &proposer{s}, &writePath{server: s}
	if err := s.wireReads(); err != nil {
		return err
	}
	s.layer.Start(&linkSide{s}, func(serverID string) { s.replica.Suspect(serverID, s.gone) })
	s.feed = feed.New(s.machine, s.replica)

	s.wireAPI()
	return nil
}

// listenDebug begins to answer about this server, all of which is there by now.
func (s *Server) listenDebug() error {
	if s.config.Debug == "" {
		return nil
	}
	var err error
	s.debug, err = diag.Listen(s.config.Debug, s.secureDebug(), &probe{s}, s.logger.Named("debug"))
	return err
}

func (s *Server) serve() {
	s.run(func() {
		if err := s.grpc.Serve(s.listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			s.logger.Error("api listener ended", "error", err)
		}
	})
	s.logger.Info("server listens", "name", s.config.Name, "id", s.serverID, "cluster", s.clusterID, "api", s.apiAddress, "raft", string(s.raftAddr))
}

// live becomes part of the cluster and says so.
func (s *Server) live(ctx context.Context) {
	if err := s.form(ctx); err != nil {
		if ctx.Err() == nil {
			s.fatal(candor.Wrap("form cluster", err))
		}
		return
	}
	s.announce(ctx)
}

func (s *Server) fatal(err error) {
	s.logger.Error("server cannot go on", "error", err)
	if s.config.Seams.OnFatal != nil {
		s.config.Seams.OnFatal(err)
	}
}

func (s *Server) run(f func()) {
	s.wait.Go(func() {
		f()
	})
}

// APIAddress is where the server answers, HOST:PORT.
func (s *Server) APIAddress() string { return s.apiAddress }

// ID is the server's ID; Name is for people.
func (s *Server) ID() string { return s.serverID }

// Name is the server's name.
func (s *Server) Name() string { return s.config.Name }

// Machine is the state machine, to read from.
func (s *Server) Machine() *fsm.Machine { return s.machine }

// Replica is the Raft replica.
func (s *Server) Replica() *replica.Replica { return s.replica }

// Condition is how the node's view stands, as it was last looked at.
func (s *Server) Condition() freshness.Condition { return s.reader.Condition() }

// DebugAddress is where /metrics and the probes are; empty when off.
func (s *Server) DebugAddress() string {
	if s.debug == nil {
		return ""
	}
	return s.debug.Address()
}

func (s *Server) reportFault(f fsm.FaultReport) {
	s.logger.Error("turn failed", "index", f.Record.Index, "ordinal", f.Record.Ordinal, "command", f.Record.Detail,
		"subject", f.Record.Subject, "panic", f.Panic, "stack", string(f.Stack))
}

func asError(err error, into **candor.Error) bool { return errors.As(err, into) }
