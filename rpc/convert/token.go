package convert

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// TokenToProto never returns nil: the zero token is a message of zeros.
func TokenToProto(t candor.Token) *candorv1.RootToken {
	return &candorv1.RootToken{Term: t.Term, Index: t.Index, Revision: t.Revision}
}

// TokenFromProto reads nil as the zero token.
func TokenFromProto(p *candorv1.RootToken) candor.Token {
	return candor.Token{Term: p.GetTerm(), Index: p.GetIndex(), Revision: p.GetRevision()}
}

// PortableTokenToProto never returns nil.
func PortableTokenToProto(t candor.PortableToken) *candorv1.PortableToken {
	return &candorv1.PortableToken{Token: TokenToProto(t.Token), ClusterId: t.ClusterID, HistoryId: t.HistoryID}
}

// PortableTokenFromProto reads nil as the zero token of no cluster.
func PortableTokenFromProto(p *candorv1.PortableToken) candor.PortableToken {
	return candor.PortableToken{
		Token: TokenFromProto(p.GetToken()), ClusterID: p.GetClusterId(), HistoryID: p.GetHistoryId(),
	}
}

// knownToken is TokenToProto where the zero token means "did not say".
func knownToken(t candor.Token) *candorv1.RootToken {
	if t.IsZero() {
		return nil
	}
	return TokenToProto(t)
}
