package servertest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/replica"
	"github.com/candor-plane/candor/server/servertest"
)

// joining is a cluster whose access control is on, and what happens between the
// look at a token and its spending: a leader asks at a newcomer's Raft address who
// answers there.
type joining struct {
	*keys
	mu      sync.Mutex
	between map[string]func()
}

func startJoining(t *testing.T, opts ...servertest.Option) *joining {
	t.Helper()
	j := &joining{between: map[string]func(){}}
	for _, name := range []string{"n1", "n2", "n3"} {
		opts = append(opts, servertest.WithServer(name, func(c *server.Config) {
			dial := c.Seams.Dial
			c.Seams.Dial = func(ctx context.Context, to string) (net.Conn, error) {
				if f := j.take(to); f != nil {
					f()
					return nil, errors.New("nobody answers now")
				}
				return dial(ctx, to)
			}
		}))
	}
	j.keys = openAccess(t, servertest.Start(t, opts...))
	return j
}

// when has f run once, while the server of that name is about to join.
func (j *joining) when(name string, f func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.between[name+"/raft"] = f
}

func (j *joining) take(address string) func() {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := j.between[address]
	delete(j.between, address)
	return f
}

// joinToken is one of ana's that expires at a time.
func (j *joining) joinToken(expires time.Time) candor.Bearer {
	j.t.Helper()
	b := client.NewToken()
	spec := fmt.Sprintf(`{"actor":"ana","hash":%q,"expires":%q,"use":"join"}`, client.HashOf(b), expires.UTC().Format(client.TokenTime))
	_, err := j.root.Create(j.t.Context(), accessObject("Token", b.Accessor, spec))
	noError(j.t, err)
	return b
}

func (j *joining) revoke(b candor.Bearer) {
	_, err := j.root.Delete(j.t.Context(), refOfToken(b))
	if err != nil {
		j.t.Error(err)
	}
}

func refOfToken(b candor.Bearer) candor.Ref {
	return candor.Ref{Kind: candor.KindTokens, Name: b.Accessor}
}

// stored is the token's object as the leader has it; nil once it is gone.
func (j *joining) stored(b candor.Bearer) *candor.Object {
	j.t.Helper()
	version, err := j.cluster.Leader().Machine().View().Get(refOfToken(b), 0)
	noError(j.t, err)
	if version == nil {
		return nil
	}
	object, err := version.Object()
	noError(j.t, err)
	return object
}

// ask has a server of that name, which does not run, ask one of the cluster.
func (j *joining) ask(at, name, token string, change ...func(*candorv1.JoinRequest)) error {
	j.t.Helper()
	in := &candorv1.JoinRequest{
		ServerId: "id-of-" + name, Name: name, RaftAddress: name + "/raft", ApiAddress: name, FeatureLevel: candor.FeatureLevel, JoinToken: token,
	}
	for _, f := range change {
		f(in)
	}
	_, err := candorv1.NewClusterServiceClient(dial(j.t, j.cluster, at)).Join(j.t.Context(), in)
	return convert.ErrorFromStatus(err)
}

// occupy has a server join that never runs, and returns what makes another fail once
// its token is spent: its address.
func (j *joining) occupy() func(*candorv1.JoinRequest) {
	j.t.Helper()
	noError(j.t, j.ask(j.cluster.Leader().Name(), "n9", j.joinToken(time.Now().Add(time.Hour)).String()))
	return func(in *candorv1.JoinRequest) { in.RaftAddress = "n9/raft" }
}

func (j *joining) configuration() replica.Configuration {
	return j.cluster.Leader().Replica().Configuration()
}

// joinAccount is what an audit log says of a join.
type joinAccount struct {
	Actor, AuthenticatedBy, Accessor, Verb, Kind, Name, Verdict string
	Reason                                                      candor.Reason
}

// joins counts what the audit logs of all servers say of joins.
func joins(t *testing.T, data string, b candor.Bearer) map[joinAccount]int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "*", "audit", "audit.log"))
	noError(t, err)
	out := map[joinAccount]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		noError(t, err)
		if bytes.Contains(text, []byte(b.Secret)) {
			t.Errorf("%s tells the secret", file)
		}
		for line := range bytes.Lines(text) {
			var r struct {
				joinAccount
				Method string
			}
			noError(t, json.Unmarshal(line, &r))
			if r.Method == candorv1.ClusterService_Join_FullMethodName {
				out[r.joinAccount]++
			}
		}
	}
	return out
}
