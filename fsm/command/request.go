package command

import (
	"strings"

	"github.com/candor-plane/candor/internal/wire"
)

// RequestOf reads whose request an encoded command is, and its ID, without the
// rest; both empty where it has none or does not decode. They alias nothing.
func RequestOf(data []byte) (actor, requestID string) {
	r := wire.NewReader(data)
	for r.Next() {
		switch r.Field() {
		case fieldType:
		case fieldActor:
			actor = r.String()
		case fieldRequestID:
			requestID = r.String()
			return strings.Clone(actor), strings.Clone(requestID)
		default:
			return "", ""
		}
	}
	return "", ""
}
