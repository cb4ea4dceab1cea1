package audit

import (
	"encoding/json"
	"strconv"
	"time"
)

// stampLayout has always nine digits, so that lines sort as text.
const stampLayout = "2006-01-02T15:04:05.000000000Z"

// identity is what every line of one boot has in common.
type identity struct{ node, nodeID, bootID string }

// appendLine writes the record as one JSON object and a newline. sequence 0
// leaves the number out: the line is in no file.
func (id identity) appendLine(b []byte, r *Record, sequence uint64) []byte {
	b = append(b, `{"time":"`...)
	b = r.Time.UTC().AppendFormat(b, stampLayout)
	b = append(b, '"')
	b = appendText(b, "node", id.node)
	b = appendText(b, "nodeId", id.nodeID)
	b = appendText(b, "bootId", id.bootID)
	b = appendNumber(b, "sequence", sequence)
	b = appendText(b, "actor", r.Actor)
	b = appendText(b, "authenticatedBy", string(r.AuthenticatedBy))
	b = appendText(b, "accessor", r.Accessor)
	b = appendText(b, "source", r.Source)
	b = appendText(b, "method", r.Method)
	b = appendText(b, "verb", r.Verb)
	b = appendText(b, "kind", r.Kind)
	b = appendText(b, "namespace", r.Namespace)
	b = appendText(b, "name", r.Name)
	b = appendText(b, "section", r.Section)
	b = appendText(b, "verdict", string(r.Verdict))
	b = appendText(b, "reason", string(r.Reason))
	b = appendText(b, "message", r.Message)
	if !r.RootToken.IsZero() {
		b = append(b, `,"rootToken":{"term":`...)
		b = strconv.AppendUint(b, r.RootToken.Term, 10)
		b = append(b, `,"index":`...)
		b = strconv.AppendUint(b, r.RootToken.Index, 10)
		b = append(b, `,"revision":`...)
		b = strconv.AppendUint(b, r.RootToken.Revision, 10)
		b = append(b, '}')
	}
	b = appendText(b, "requestId", r.RequestID)
	b = appendNumber(b, "policyRevision", r.PolicyRevision)
	b = appendNumber(b, "durationMicros", micros(r.Duration))
	b = appendNumber(b, "count", r.own.count)
	if !r.own.since.IsZero() {
		b = append(b, `,"since":"`...)
		b = r.own.since.UTC().AppendFormat(b, stampLayout)
		b = append(b, '"')
	}
	b = appendNumber(b, "unsynced", r.own.unsynced)
	b = appendCut(b, r.cut)
	return append(b, '}', '\n')
}

func appendText(b []byte, key, value string) []byte {
	if value == "" {
		return b
	}
	b = appendKey(b, key)
	if plain(value) {
		b = append(b, '"')
		b = append(b, value...)
		return append(b, '"')
	}
	quoted, err := json.Marshal(value)
	if err != nil {
		// No string has one; and no line may lack its key if one had.
		return append(b, `""`...)
	}
	return append(b, quoted...)
}

// plain says whether value stands for itself between quotes. Everything else is
// encoding/json's to escape.
func plain(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendNumber(b []byte, key string, value uint64) []byte {
	if value == 0 {
		return b
	}
	return strconv.AppendUint(appendKey(b, key), value, 10)
}

func appendKey(b []byte, key string) []byte {
	b = append(b, ',', '"')
	b = append(b, key...)
	return append(b, '"', ':')
}

func appendCut(b []byte, c cuts) []byte {
	if c == 0 {
		return b
	}
	b = append(b, `,"cut":[`...)
	first := true
	for bit, name := range cutNames {
		if c&(1<<bit) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, '"')
	}
	return append(b, ']')
}

// micros rounds up: what took time never reads as if it had not been measured.
func micros(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	return uint64((d + time.Microsecond - 1) / time.Microsecond)
}
