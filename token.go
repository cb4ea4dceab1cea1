package candor

import (
	"fmt"
	"strconv"
	"strings"
)

// Token is a position in the root: the Raft term of the entry at Index, the
// index, and the revision after that entry. It means the same on every node
// and after every restart; no node-local counter is ever part of it.
type Token struct {
	Term     uint64 `json:"term"`
	Index    uint64 `json:"index"`
	Revision uint64 `json:"revision"`
}

// IsZero says whether the token names no position.
func (t Token) IsZero() bool { return t == Token{} }

// String prints "term:index/revision".
func (t Token) String() string {
	return strconv.FormatUint(t.Term, 10) + ":" + strconv.FormatUint(t.Index, 10) + "/" + strconv.FormatUint(t.Revision, 10)
}

// Covers says whether a view at t contains everything that o names.
func (t Token) Covers(o Token) bool { return t.Index >= o.Index && t.Revision >= o.Revision }

// CompareTokens orders a and b by (index, revision). Two tokens of one index
// and different terms never both name a committed entry: that is no tie to
// break but an Error of reason TOKEN_CONFLICT.
func CompareTokens(a, b Token) (int, error) {
	if a.Index == b.Index && a.Term != b.Term && a.Term != 0 && b.Term != 0 {
		return 0, Errorf(ReasonTokenConflict, "tokens %s and %s name one index in two terms: they are of different histories", a, b)
	}
	switch {
	case a.Index != b.Index:
		return order(a.Index, b.Index), nil
	default:
		return order(a.Revision, b.Revision), nil
	}
}

func order(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// ParseToken reads what String prints.
func ParseToken(s string) (Token, error) {
	bad := func() (Token, error) {
		return Token{}, Errorf(ReasonInvalid, "root token %q: want TERM:INDEX/REVISION, for example 7:1042/977", s)
	}
	term, rest, ok := strings.Cut(s, ":")
	if !ok {
		return bad()
	}
	index, revision, ok := strings.Cut(rest, "/")
	if !ok {
		return bad()
	}
	var t Token
	for _, f := range []struct {
		text string
		into *uint64
	}{{term, &t.Term}, {index, &t.Index}, {revision, &t.Revision}} {
		n, err := strconv.ParseUint(f.text, 10, 64)
		if err != nil {
			return bad()
		}
		*f.into = n
	}
	return t, nil
}

// PortableToken is a token that has left its cluster. A restore from an older
// backup starts a new history: a token of another cluster or history is
// refused, never served from another past.
type PortableToken struct {
	Token
	ClusterID string `json:"clusterID"`
	HistoryID string `json:"historyID"`
}

// CheckHistory returns an Error of reason HISTORY_MISMATCH when p belongs to
// another cluster or another history than the given one.
func (p PortableToken) CheckHistory(clusterID, historyID string) error {
	if p.ClusterID == "" || (p.ClusterID == clusterID && p.HistoryID == historyID) {
		return nil
	}
	return &Error{
		Reason:  ReasonHistoryMismatch,
		Subject: p.String(),
		Message: fmt.Sprintf("token %s is of cluster %s, history %s; this is cluster %s, history %s: start a new session",
			p.Token, p.ClusterID, p.HistoryID, clusterID, historyID),
	}
}
