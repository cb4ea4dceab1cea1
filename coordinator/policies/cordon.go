package policies

import (
	"time"

	"github.com/candor-plane/candor"
)

// Mark is the note that a node was cordoned in the silence that began at so much cluster
// time in nanoseconds.
func Mark(since int64) string { return time.Unix(0, since).UTC().Format(time.RFC3339Nano) }

// Cordoned is the mark of the last silence in which a policy cordoned the node; empty for
// none.
func Cordoned(node *candor.Metadata) string { return node.Annotations[candor.AnnotationSilence] }

// CordonedIn says whether that was the silence that began then.
func CordonedIn(node *candor.Metadata, since int64) bool { return Cordoned(node) == Mark(since) }
