package cli_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/cmd/candor/internal/cli"
)

// shelf stands where a cluster would: it hands out the objects that a
// transcript puts on it and notes what it is asked to write. It keeps no rule
// of the root; a refusal comes only where the transcript orders one.
type shelf struct {
	objects  []*candor.Object
	history  []client.Version
	batches  []client.WatchBatch
	outcome  client.WriteOutcome
	asking   sync.Mutex // guards refusals: several servers are asked at once
	refusals map[string][]error
	revision uint64
	log      []string
	// snapshot is the stream of a snapshot at 7:1042/977.
	snapshot []byte
	// stale: reads are answered as BEST_EFFORT.
	stale bool
	// warnings come with every write.
	warnings []string
	// dry: writes are answered and not kept.
	dry      bool
	endpoint cli.Endpoint
	// reachable: the address of n2 is known.
	reachable bool
	// configuration counts changes of the members.
	configuration uint64
	// joining: a server joins whenever a gossip key is added.
	joining bool
	// tenures are what every server says of duties, transferred what became of a
	// handover, and lineages the histories of tenures by name.
	tenures     *client.Tenures
	transferred *client.Transferred
	lineages    map[string][]client.Version
	// transitions are what every server says of them, the newest first, at clusterTime;
	// reshaped is the one that changes of the members were; unanswering: nobody hears
	// the end of a replacement.
	transitions []client.Transition
	clusterTime int64
	reshaped    string
	unanswering bool
	// explaining is what is told of why.
	explaining *explaining
	// number is the highest that was handed out.
	number uint64
	// rings are the gossip keys by address.
	rings map[string][]client.GossipKey
}

func newShelf() *shelf {
	s := &shelf{revision: 977, configuration: 3, refusals: map[string][]error{}, rings: map[string][]client.GossipKey{}, tenures: duties(), lineages: map[string][]client.Version{}}
	s.explaining = &explaining{shelf: s, of: map[string]*candor.Explanation{}}
	return s
}

func (s *shelf) connect(e cli.Endpoint) (*cli.Remote, error) {
	s.endpoint = e
	return &cli.Remote{
		Servers: e.Servers, Reader: s, Writer: s, Cluster: s, Changer: s, Levels: s, Transitions: transitions{s}, Keeper: s, Tenures: s, Duties: s, Numbers: s, Explain: s.explaining, Decisions: s.explaining,
		Node:  func(address string) cli.NodeReader { return node{s, address} },
		Steer: func(address string) cli.NodeChanger { return node{s, address} },
		Ring: func(address string) cli.GossipRing {
			if s.joining {
				return joining{node{s, address}, s}
			}
			return node{s, address}
		},
		Audit:  func(address string) cli.AuditReader { return node{s, address} },
		Access: func(address string) cli.AccessControl { return access{s, address} },
		CatchUp: func(context.Context, string) (cli.Changes, error) {
			return &changes{shelf: s, left: catchUp}, s.refuse("catchup")
		},
		Watch: func(context.Context, client.WatchOptions) (cli.Events, error) { return &events{s}, s.refuse("watch") },
		Close: func() error { return nil },
	}, nil
}

// refuse returns the next refusal that was ordered for a verb.
func (s *shelf) refuse(verb string) error {
	s.asking.Lock()
	defer s.asking.Unlock()
	queue := s.refusals[verb]
	if len(queue) == 0 {
		return nil
	}
	s.refusals[verb] = queue[1:]
	return queue[0]
}

func (s *shelf) witness() candor.Witness {
	if s.stale {
		return candor.Witness{
			NodeID: "u-3", NodeName: "n3", BootID: "b-3", ServedToken: candor.Token{Term: 7, Index: 1000, Revision: s.revision},
			Requested: candor.FreshnessBestEffort, Served: candor.FreshnessBestEffort, Class: candor.ServingDegraded,
			Mechanism: candor.MechanismView, Mode: candor.ModeRootUnavailable, DegradedReason: "NO_PROOF",
		}
	}
	return candor.Witness{
		NodeID: "u-1", NodeName: "n1", BootID: "b-1", ServedToken: candor.Token{Term: 7, Index: 1042, Revision: s.revision},
		Requested: candor.FreshnessStrong, Served: candor.FreshnessStrong, Class: candor.ServingAuthoritative,
		ServedByLeader: true, Mechanism: candor.MechanismLeaderReadIndex, Mode: candor.ModeHealthy,
	}
}

func kindOf(o *candor.Object) candor.KindName {
	switch o.Kind {
	case "Kind":
		return candor.KindKinds
	case "Namespace":
		return candor.KindNamespaces
	}
	group, _, _ := strings.Cut(o.APIVersion, "/")
	return candor.KindName(strings.ToLower(o.Kind) + "s." + group)
}

func refOf(o *candor.Object) candor.Ref {
	return candor.Ref{Kind: kindOf(o), Namespace: o.Metadata.Namespace, Name: o.Metadata.Name}
}

func (s *shelf) find(ref candor.Ref) int {
	return slices.IndexFunc(s.objects, func(o *candor.Object) bool { return refOf(o) == ref })
}

func (s *shelf) Get(_ context.Context, ref candor.Ref, _ ...client.ReadOption) (*candor.Object, candor.Witness, error) {
	if err := s.refuse("get"); err != nil {
		return nil, s.witness(), err
	}
	at := s.find(ref)
	if at < 0 {
		return nil, s.witness(), &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: ref.String() + " does not exist", Revision: s.revision}
	}
	return s.objects[at], s.witness(), nil
}

func (s *shelf) List(_ context.Context, kind candor.KindName, o client.ListOptions, _ ...client.ReadOption) (*client.Page, error) {
	if kind != candor.KindKinds {
		if err := s.refuse("list"); err != nil {
			return nil, err
		}
	}
	selector, err := candor.ParseSelector(o.Selector)
	if err != nil {
		return nil, err
	}
	page := &client.Page{Revision: s.revision, Witness: s.witness()}
	skip := 0
	if o.Continue != "" {
		if _, err := fmt.Sscan(o.Continue, &skip); err != nil {
			return nil, err
		}
	}
	seen := 0
	for _, object := range s.objects {
		if kindOf(object) != kind || o.Namespace != "" && object.Metadata.Namespace != o.Namespace || !selector.Matches(object.Metadata.Labels) {
			continue
		}
		seen++
		if seen <= skip {
			continue
		}
		// Pages of two, so that every list of three has a second one.
		if len(page.Objects) == 2 || o.Limit > 0 && len(page.Objects) == int(o.Limit) {
			page.Continue = strconv.Itoa(seen - 1)
			break
		}
		page.Objects = append(page.Objects, object)
	}
	return page, nil
}

func (s *shelf) History(_ context.Context, ref candor.Ref, _ ...client.ReadOption) (*client.History, error) {
	if ref.Kind == candor.KindTenures {
		return s.lineage(ref)
	}
	return &client.History{Versions: s.history, Floor: 3, Witness: s.witness()}, s.refuse("history")
}

func (s *shelf) Outcome(context.Context, string, ...client.ReadOption) (client.WriteOutcome, error) {
	found := s.outcome
	found.Witness = s.witness()
	return found, s.refuse("outcome")
}

func (s *shelf) written(verb string, o *candor.Object) (client.Result, error) {
	s.log = append(s.log, verb+" "+refOf(o).String())
	if err := s.refuse(strings.ToLower(o.Kind)); err != nil {
		return client.Result{}, err
	}
	if err := s.refuse(verb); err != nil {
		return client.Result{}, err
	}
	if s.dry {
		return client.Result{Object: o, Changed: true, Warnings: s.warnings, Witness: s.witness()}, nil
	}
	s.revision++
	stored := *o
	stored.Metadata.ResourceVersion = s.revision
	if stored.Metadata.UID == "" {
		stored.Metadata.UID = fmt.Sprintf("uid-%d", s.revision)
	}
	if at := s.find(refOf(o)); at >= 0 {
		s.objects[at] = &stored
	} else {
		s.objects = append(s.objects, &stored)
	}
	return client.Result{Object: &stored, Token: s.witness().ServedToken, Changed: true, Warnings: s.warnings, Witness: s.witness()}, nil
}

func (s *shelf) Create(_ context.Context, o *candor.Object, _ ...client.WriteOption) (client.Result, error) {
	return s.written("create", o)
}

func (s *shelf) Update(_ context.Context, o *candor.Object, _ ...client.WriteOption) (client.Result, error) {
	return s.written("update", o)
}

func (s *shelf) Delete(_ context.Context, ref candor.Ref, _ ...client.WriteOption) (client.Result, error) {
	s.log = append(s.log, "delete "+ref.String())
	if err := s.refuse("delete"); err != nil {
		return client.Result{}, err
	}
	at := s.find(ref)
	if at < 0 {
		return client.Result{}, &candor.Error{Reason: candor.ReasonNotFound, Subject: ref.String(), Message: ref.String() + " does not exist"}
	}
	gone := *s.objects[at]
	s.revision++
	if held := len(gone.Metadata.Finalizers) > 0; held {
		return client.Result{Object: &gone, Token: s.witness().ServedToken, Changed: true, Witness: s.witness()}, nil
	}
	s.objects = slices.Delete(s.objects, at, at+1)
	return client.Result{Object: &gone, Token: s.witness().ServedToken, Changed: true, Removed: true, Witness: s.witness()}, nil
}

// events deliver the batches of the transcript, then wait.
type events struct{ shelf *shelf }

func (e *events) Next(ctx context.Context) (client.WatchBatch, error) {
	if len(e.shelf.batches) == 0 {
		<-ctx.Done()
		return client.WatchBatch{}, &candor.Error{Reason: candor.ReasonTimedOut, Message: ctx.Err().Error(), Err: ctx.Err()}
	}
	batch := e.shelf.batches[0]
	e.shelf.batches = e.shelf.batches[1:]
	if batch.Bookmark {
		w := e.shelf.witness()
		batch.Witness = &w
	}
	return batch, e.shelf.refuse("next")
}

func (e *events) Close() error { return nil }

func (s *shelf) Status(context.Context, ...client.ReadOption) (*client.ClusterStatus, error) {
	w := s.witness()
	return &client.ClusterStatus{
		ClusterID: "c-1", HistoryID: "h-1", NodeID: "u-1", NodeName: "n1", Role: "Leader", Term: 7, Applied: w.ServedToken,
		Leader: &candor.LeaderHint{ServerID: "u-1", Name: "n1", Address: "127.0.0.1:7101"}, CommitIndex: 1042, ConfigurationIndex: 3,
		Floor: 3, FeatureLevel: 1, Objects: 1234, StateBytes: 1 << 20, QuotaBytes: 2 << 30,
		RestartState: candor.RestartCatchUp, RestartReason: "the last stop was no clean one", Recovered: true,
		Version: "v0", Insecure: true, Witness: &w,
		Findings: []client.Finding{{Severity: "warning", Subject: "n2", Reason: "DISK_PRESSURE", Message: "1.0 GiB is free", NextAction: "make room on n2"}},
	}, s.refuse("status")
}

func (s *shelf) Members(context.Context, ...client.ReadOption) (*client.Members, error) {
	w := s.witness()
	heard := uint64(1040)
	second := ""
	if s.reachable {
		second = "127.0.0.1:7102"
	}
	return &client.Members{ConfigurationIndex: s.configuration, Witness: &w, Members: []client.Member{
		{ServerID: "u-1", Name: "n1", Voter: true, Leader: true, RaftAddress: "u-1@127.0.0.1:7201", RaftEndpoint: "127.0.0.1:7201", APIAddress: "127.0.0.1:7101", Liveness: "ALIVE", Version: "v0", FeatureLevel: 1, AppliedHint: &heard},
		{ServerID: "u-2", Name: "n2", RaftAddress: "u-2@127.0.0.1:7202", RaftEndpoint: "127.0.0.1:7202", APIAddress: second, Liveness: "UNKNOWN"},
	}}, s.refuse("members")
}

func (s *shelf) Join(_ context.Context, server client.JoinRequest) (*client.Joined, error) {
	s.log = append(s.log, fmt.Sprintf("join %+v", server))
	return &client.Joined{ConfigurationIndex: 4, Transition: s.reshaped}, s.refuse("join")
}

func (s *shelf) Remove(_ context.Context, server string, o client.RemoveOptions) (client.Reshaped, error) {
	s.log = append(s.log, fmt.Sprintf("remove %s %+v", server, o))
	return client.Reshaped{ConfigurationIndex: 4, Transition: s.reshaped}, s.refuse("remove")
}

func (s *shelf) Promote(_ context.Context, server string, expected uint64) (client.Promoted, error) {
	s.log = append(s.log, fmt.Sprintf("promote %s %d", server, expected))
	return client.Promoted{ConfigurationIndex: 4, VotedAlready: server == "n1", Transition: s.reshaped}, s.refuse("promote")
}

func (s *shelf) TransferLeader(_ context.Context, server string) (client.Handover, error) {
	s.log = append(s.log, "transfer "+server)
	return client.Handover{Leader: &candor.LeaderHint{ServerID: "u-2", Name: "n2"}, Transition: s.reshaped}, s.refuse("transfer")
}

func (s *shelf) RaiseFeatureLevel(_ context.Context, level uint32) (uint32, error) {
	s.log = append(s.log, fmt.Sprintf("raise %d", level))
	return level, s.refuse("raise")
}

func (s *shelf) Compact(_ context.Context, revision uint64, _ ...client.WriteOption) (uint64, error) {
	s.log = append(s.log, fmt.Sprintf("compact %d", revision))
	return revision, s.refuse("compact")
}

func (s *shelf) Snapshot(_ context.Context, to io.Writer, progress func(written, estimated uint64), _ ...client.ReadOption) (client.SnapshotInfo, error) {
	w := s.witness()
	info := client.SnapshotInfo{Token: w.ServedToken, Witness: &w}
	stream := s.snapshot
	for len(stream) > 0 {
		n, err := to.Write(stream[:min(len(stream), 512)])
		if err != nil {
			return info, err
		}
		stream, info.Bytes = stream[n:], info.Bytes+uint64(n)
		progress(info.Bytes, uint64(len(s.snapshot)))
	}
	return info, s.refuse("snapshot")
}
