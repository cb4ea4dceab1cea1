package client

import (
	"github.com/google/uuid"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
	"github.com/candor-plane/candor/rpc/convert"
)

// WriteOption says how or why a write is made.
type WriteOption func(*writeTerms)

// writeTerms are what a write asks for.
type writeTerms struct {
	requestID             string
	notAfter              int64
	reason, message       string
	readToken             candor.Token
	because               *candor.VersionRef
	dryRun, omitObject    bool
	resourceVersion       uint64
	uid                   string
	propagation           candor.Propagation
	expectedConfiguration uint64
	duty                  string
	era                   uint64
}

// WithRequestID names the write, instead of a new UUID: at most 64 bytes,
// unique among the actor's writes. The client repeats attempts itself; to
// repeat a whole call, in another process say, give it WithNotAfter as well.
func WithRequestID(id string) WriteOption {
	return func(t *writeTerms) { t.requestID = id }
}

// WithNotAfter fixes the cluster time, in nanoseconds, after which the root
// refuses the write: REQUEST_EXPIRED. Until then the root remembers what it
// accepted, so a call with the same request ID, content and time is made once
// however often it is repeated. Without it the client takes the call's deadline,
// 30 s at most, and some slack.
func WithNotAfter(clusterTime int64) WriteOption {
	return func(t *writeTerms) { t.notAfter = clusterTime }
}

// WithReason records why: an UPPER_SNAKE word and one sentence.
func WithReason(code, message string) WriteOption {
	return func(t *writeTerms) { t.reason, t.message = code, message }
}

// WithTenure has the root take the write only while the era of the duty is active and
// the caller's: a controller that lost its tenure writes nothing (ERA_STALE).
func WithTenure(duty string, era uint64) WriteOption {
	return func(t *writeTerms) { t.duty, t.era = duty, era }
}

// WithReadToken records what had been read when the write was decided.
func WithReadToken(token candor.Token) WriteOption {
	return func(t *writeTerms) { t.readToken = token }
}

// WithBecause records the version of another object that led to the write.
func WithBecause(version candor.VersionRef) WriteOption {
	return func(t *writeTerms) { t.because = &version }
}

// WithDryRun runs every check and changes nothing. It needs no request ID.
func WithDryRun() WriteOption {
	return func(t *writeTerms) { t.dryRun = true }
}

// WithoutObject asks for an answer without the object, which saves half of its
// way: Result.Object is nil, and its new resource version is the Token's revision
// where Changed is set.
func WithoutObject() WriteOption {
	return func(t *writeTerms) { t.omitObject = true }
}

// WithPreconditions refuses the write (CONFLICT) unless the object is at this
// resource version and has this uid; a zero value asks for nothing.
func WithPreconditions(resourceVersion uint64, uid string) WriteOption {
	return func(t *writeTerms) { t.resourceVersion, t.uid = resourceVersion, uid }
}

// WithPropagation says what a delete does to the object's dependents.
func WithPropagation(p candor.Propagation) WriteOption {
	return func(t *writeTerms) { t.propagation = p }
}

// WithExpectedConfiguration refuses the write (EPOCH_MISMATCH) unless the
// cluster's configuration is the one of this index.
func WithExpectedConfiguration(index uint64) WriteOption {
	return func(t *writeTerms) { t.expectedConfiguration = index }
}

// preconditioned says whether the write names a version or an object's life
// that can never come back once it is past.
func (t *writeTerms) preconditioned() bool { return t.resourceVersion != 0 || t.uid != "" }

func (t *writeTerms) preconditions() *candorv1.Preconditions {
	if !t.preconditioned() {
		return nil
	}
	return &candorv1.Preconditions{ResourceVersion: t.resourceVersion, Uid: t.uid}
}

// options is the wire form. A write that is no dry run always gets a request
// ID; not_after is stamped when it is sent (see Client.write).
func (t *writeTerms) options() (*candorv1.WriteOptions, error) {
	if len(t.requestID) > candor.MaxRequestIDBytes {
		return nil, candor.Errorf(candor.ReasonInvalid, "request ID has %d bytes; at most %d are allowed", len(t.requestID), candor.MaxRequestIDBytes)
	}
	w := &candorv1.WriteOptions{
		ExpectedConfigurationIndex: t.expectedConfiguration, DryRun: t.dryRun, OmitObject: t.omitObject,
		Reason: t.reason, Message: t.message, Because: convert.VersionRefToProto(t.because), Duty: t.duty, Era: t.era,
	}
	if !t.readToken.IsZero() {
		w.ReadToken = convert.TokenToProto(t.readToken)
	}
	if t.dryRun {
		return w, nil
	}
	w.RequestId, w.NotAfter = t.requestID, t.notAfter
	if w.GetRequestId() == "" {
		w.RequestId = uuid.NewString()
	}
	return w, nil
}

// only refuses options that the write would have to ignore.
func (t *writeTerms) only(preconditions, propagation bool) error {
	if !preconditions && t.preconditioned() {
		return candor.Errorf(candor.ReasonInvalid, "preconditions do not apply to this write")
	}
	if !propagation && t.propagation != "" {
		return candor.Errorf(candor.ReasonInvalid, "propagation %s applies to a delete only", t.propagation)
	}
	return nil
}
