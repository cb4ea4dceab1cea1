package client

import (
	"bytes"
	"encoding/json"
	"sync/atomic"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Session is the highest root token that its holder has seen, of one history of
// one cluster. Reads that require it see the holder's own writes and never go
// back, whichever nodes serve them. As JSON it can be handed to another
// process. It may be shared by clients and used concurrently.
type Session struct {
	state atomic.Pointer[sessionState]
}

// sessionState is immutable; required is its token as reads send it.
type sessionState struct {
	token    candor.PortableToken
	required *candorv1.PortableToken
}

// NewSession returns a session that has seen nothing.
func NewSession() *Session {
	s := new(Session)
	return s
}

// Token is the highest token seen; zero when nothing was.
func (s *Session) Token() candor.PortableToken { return s.load().token }

// Observe folds in what a witness says was served. It only ever raises the
// token. The error has the reason HISTORY_MISMATCH when the witness is of
// another cluster or history, and TOKEN_CONFLICT when its token and the
// session's cannot both be of this history; the session stays as it was.
func (s *Session) Observe(w candor.Witness) error {
	return s.advance(candor.PortableToken{Token: w.ServedToken, ClusterID: w.ClusterID, HistoryID: w.HistoryID})
}

func (s *Session) advance(seen candor.PortableToken) error {
	for {
		old := s.state.Load()
		known := s.load()
		next, err := merge(known.token, seen)
		if err != nil {
			return err
		}
		if next == known.token {
			return nil
		}
		state := &sessionState{token: next}
		if !next.IsZero() {
			state.required = convert.PortableTokenToProto(next)
		}
		if s.state.CompareAndSwap(old, state) {
			return nil
		}
	}
}

// merge is the later of known and seen. An ID that one side does not tell is
// taken from the other.
func merge(known, seen candor.PortableToken) (candor.PortableToken, error) {
	cluster, history := orElse(seen.ClusterID, known.ClusterID), orElse(seen.HistoryID, known.HistoryID)
	bound := known
	bound.HistoryID = orElse(known.HistoryID, history)
	if err := bound.CheckHistory(cluster, history); err != nil {
		return known, err
	}
	next := candor.PortableToken{Token: known.Token, ClusterID: cluster, HistoryID: history}
	order, err := candor.CompareTokens(seen.Token, known.Token)
	if err != nil {
		return known, err
	}
	if order <= 0 {
		if !known.Covers(seen.Token) {
			return known, crossed(known.Token, seen.Token)
		}
		return next, nil
	}
	if !seen.Covers(known.Token) {
		return known, crossed(known.Token, seen.Token)
	}
	next.Token = seen.Token
	return next, nil
}

func crossed(a, b candor.Token) error {
	return candor.Errorf(candor.ReasonTokenConflict,
		"tokens %s and %s: the one with the higher index has the lower revision, so they are of different histories", a, b)
}

func (s *Session) load() *sessionState {
	if state := s.state.Load(); state != nil {
		return state
	}
	return &emptySession
}

var emptySession sessionState

type sessionJSON struct {
	candor.Token
	ClusterID string `json:"clusterID"`
	HistoryID string `json:"historyID"`
}

// MarshalJSON writes the session so that another process can go on with it. A
// token whose cluster never said who it is cannot leave this process: the error
// has the reason INVALID.
func (s *Session) MarshalJSON() ([]byte, error) {
	t := s.Token()
	if !t.IsZero() && (t.ClusterID == "" || t.HistoryID == "") {
		return nil, candor.Errorf(candor.ReasonInvalid, "session: token %s is of an unnamed cluster or history and would mean nothing elsewhere", t.Token)
	}
	return json.Marshal(sessionJSON(t))
}

// UnmarshalJSON replaces the session with a saved one; the error has the reason
// INVALID. It must not run while the session is in use.
func (s *Session) UnmarshalJSON(data []byte) error {
	var in sessionJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return candor.Errorf(candor.ReasonInvalid, "session: %v", err)
	}
	if !in.IsZero() && (in.ClusterID == "" || in.HistoryID == "") {
		return candor.Errorf(candor.ReasonInvalid, "session: token %s names no cluster or no history", in.Token)
	}
	fresh := NewSession()
	if err := fresh.advance(candor.PortableToken(in)); err != nil {
		return err
	}
	s.state.Store(fresh.state.Load())
	return nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
