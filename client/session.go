package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"sync/atomic"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/freshness"
	"github.com/candor-plane/candor/internal/zoo"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// Session is the highest root token that its holder has seen, of one history of
// one cluster, and the highest era of each duty that served it. Reads that
// require it see the holder's own writes and never go back, whichever nodes
// serve them, and take nothing from a duty's former holder. As JSON it can be
// handed to another process. It may be shared by clients and used concurrently.
type Session struct {
	state atomic.Pointer[sessionState]
}

// sessionState is immutable; required is its token as reads send it.
type sessionState struct {
	token    candor.PortableToken
	required *candorv1.PortableToken
	eras     map[string]uint64 // by duty; nil for none
}

// NewSession returns a session that has seen nothing.
func NewSession() *Session {
	s := new(Session)
	return s
}

// Token is the highest token seen; zero when nothing was.
func (s *Session) Token() candor.PortableToken { return s.load().token }

// Era is the highest that served for the duty; 0 when none did.
func (s *Session) Era(duty string) uint64 { return s.load().eras[duty] }

// Observe folds in what a witness says was served. It only ever raises the
// token. The error has the reason HISTORY_MISMATCH when the witness is of
// another cluster or history, and TOKEN_CONFLICT when its token and the
// session's cannot both be of this history; a *WitnessError is its cause, and
// the session stays as it was.
func (s *Session) Observe(w candor.Witness) error { return s.ObserveDuty("", w) }

// ObserveDuty is Observe for an answer that was asked of the holder of a duty.
// An era below the duty's highest, or none where there was one, is of a holder
// whose tenure is over: INVARIANT_VIOLATED.
func (s *Session) ObserveDuty(duty string, w candor.Witness) error {
	if b := s.foreign(&w); b != nil {
		return breached(&w, b)
	}
	return s.fold(&w, duty)
}

// foreign finds out whether the witness is of another cluster or history. An ID
// that one side does not tell is no sign of it.
func (s *Session) foreign(w *candor.Witness) *freshness.BreachError {
	known := s.load().token
	switch {
	case known.ClusterID != "" && w.ClusterID != "" && w.ClusterID != known.ClusterID:
		return &freshness.BreachError{Field: "clusterID", Want: known.ClusterID + ", which the session is of: start a new session", Got: w.ClusterID}
	case known.HistoryID != "" && w.HistoryID != "" && w.HistoryID != known.HistoryID:
		return &freshness.BreachError{Field: "historyID", Want: known.HistoryID + ", which the session is of: start a new session", Got: w.HistoryID}
	default:
		return nil
	}
}

// fold raises the session to the witness.
func (s *Session) fold(w *candor.Witness, duty string) error {
	if zoo.Enabled && zoo.Has(zoo.SessionNotRaised) {
		return nil
	}
	seen := candor.PortableToken{Token: w.ServedToken, ClusterID: w.ClusterID, HistoryID: w.HistoryID}
	for {
		old := s.state.Load()
		known := s.load()
		if b := conflict(known.token.Token, seen.Token); b != nil {
			return breached(w, b)
		}
		if floor := known.eras[duty]; duty != "" && w.Era < floor {
			return breached(w, &freshness.BreachError{
				Field: "era", Want: fmt.Sprintf("at least %d, in which duty %s has served this session", floor, duty), Got: eraText(w.Era),
			})
		}
		next, err := merge(known.token, seen)
		if err != nil {
			return err
		}
		if s.replace(old, known, next, duty, w.Era) {
			return nil
		}
	}
}

// advance raises the session to a token that came with no witness.
func (s *Session) advance(seen candor.PortableToken) error {
	for {
		old := s.state.Load()
		known := s.load()
		next, err := merge(known.token, seen)
		if err != nil {
			return err
		}
		if s.replace(old, known, next, "", 0) {
			return nil
		}
	}
}

// raiseEra takes note of the era that a duty's holder answered under. For one that is
// over it says so, and which came after it.
func (s *Session) raiseEra(duty string, era uint64) (floor uint64, ok bool) {
	for {
		old := s.state.Load()
		known := s.load()
		if floor := known.eras[duty]; era < floor {
			return floor, false
		}
		if s.replace(old, known, known.token, duty, era) {
			return era, true
		}
	}
}

// replace makes next the session's token, and era its duty's, unless another has
// changed the session since it was old.
func (s *Session) replace(old, known *sessionState, next candor.PortableToken, duty string, era uint64) bool {
	rises := duty != "" && era > known.eras[duty]
	if next == known.token && !rises {
		return true
	}
	state := &sessionState{token: next, required: known.required, eras: known.eras}
	if next != known.token && !next.IsZero() {
		state.required = convert.PortableTokenToProto(next)
	}
	if rises {
		state.eras = maps.Clone(known.eras)
		if state.eras == nil {
			state.eras = map[string]uint64{}
		}
		state.eras[duty] = era
	}
	return s.state.CompareAndSwap(old, state)
}

// conflict finds out whether two tokens cannot both be of one history: one index
// in two terms, or the higher index with the lower revision.
func conflict(known, seen candor.Token) *freshness.BreachError {
	order, err := candor.CompareTokens(known, seen)
	lower, higher := known, seen
	if order > 0 {
		lower, higher = seen, known
	}
	if err == nil && (order == 0 || higher.Covers(lower)) {
		return nil
	}
	return &freshness.BreachError{Field: "servedRootToken", Want: "one of the same history as " + known.String(), Got: seen.String()}
}

func eraText(era uint64) string {
	if era == 0 {
		return ""
	}
	return strconv.FormatUint(era, 10)
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

// sessionVersion is of the form that MarshalJSON writes. Its predecessor named no
// version and had no eras.
const sessionVersion = 1

type sessionJSON struct {
	Version int `json:"version"`
	candor.Token
	ClusterID string            `json:"clusterID"`
	HistoryID string            `json:"historyID"`
	Eras      map[string]uint64 `json:"eras,omitempty"`
}

// MarshalJSON writes the session so that another process can go on with it. The
// same session is always written as the same bytes. A token whose cluster never
// said who it is cannot leave this process: the error has the reason INVALID.
func (s *Session) MarshalJSON() ([]byte, error) {
	known := s.load()
	t := known.token
	if (!t.IsZero() || len(known.eras) != 0) && (t.ClusterID == "" || t.HistoryID == "") {
		return nil, candor.Errorf(candor.ReasonInvalid, "session: token %s is of an unnamed cluster or history and would mean nothing elsewhere", t.Token)
	}
	return json.Marshal(sessionJSON{Version: sessionVersion, Token: t.Token, ClusterID: t.ClusterID, HistoryID: t.HistoryID, Eras: known.eras})
}

// UnmarshalJSON replaces the session with a saved one; the error has the reason
// INVALID, also where a newer version of this package saved it. It must not run
// while the session is in use.
func (s *Session) UnmarshalJSON(data []byte) error {
	var version struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &version); err == nil && (version.Version < 0 || version.Version > sessionVersion) {
		return candor.Errorf(candor.ReasonInvalid, "session: version %d: want at most %d; a newer program saved it", version.Version, sessionVersion)
	}
	var in sessionJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return candor.Errorf(candor.ReasonInvalid, "session: %v", err)
	}
	token := candor.PortableToken{Token: in.Token, ClusterID: in.ClusterID, HistoryID: in.HistoryID}
	if (!token.IsZero() || len(in.Eras) != 0) && (in.ClusterID == "" || in.HistoryID == "") {
		return candor.Errorf(candor.ReasonInvalid, "session: token %s names no cluster or no history", in.Token)
	}
	state := &sessionState{token: token}
	if !token.IsZero() {
		state.required = convert.PortableTokenToProto(token)
	}
	for duty, era := range in.Eras {
		if duty == "" || era == 0 {
			return candor.Errorf(candor.ReasonInvalid, "session: duty %q has era %d: want a name and a number above 0", duty, era)
		}
		state.eras = in.Eras
	}
	s.state.Store(state)
	return nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
