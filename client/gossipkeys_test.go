package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// here is a node on this machine: keys are sent nowhere else in the clear.
const here = "127.0.0.1"

func TestGossipKeysAreChangedAtThatNode(t *testing.T) {
	s := newStage(t, here, "n2")
	n := s.node(here)
	n.on("GossipKeys", func(c *call) error {
		return c.send(&candorv1.GossipKeysResponse{Keys: []*candorv1.GossipKey{{Fingerprint: "a", Primary: true}, {Fingerprint: "b"}}})
	})
	key := client.NewGossipKey()
	n.on("AddGossipKey", func(c *call) error {
		if c.in.(*candorv1.AddGossipKeyRequest).GetKey() != key {
			t.Error("another key arrived")
		}
		return c.send(&candorv1.AddGossipKeyResponse{Fingerprint: "c", Changed: true})
	})
	n.on("UseGossipKey", func(c *call) error {
		return c.send(&candorv1.UseGossipKeyResponse{Changed: c.in.(*candorv1.UseGossipKeyRequest).GetFingerprint() == "c"})
	})
	n.on("RemoveGossipKey", func(c *call) error {
		return c.send(&candorv1.RemoveGossipKeyResponse{Changed: c.in.(*candorv1.RemoveGossipKeyRequest).GetFingerprint() == "a"})
	})
	ring := s.client([]string{"n2"}).Node(here + ":1")
	keys, err := ring.GossipKeys(t.Context())
	noError(t, err)
	if diff := cmp.Diff([]client.GossipKey{{Fingerprint: "a", Primary: true}, {Fingerprint: "b"}}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for step, do := range map[string]func() (*client.GossipKeyChange, error){
		"c": func() (*client.GossipKeyChange, error) { return ring.AddGossipKey(t.Context(), key) },
		"C": func() (*client.GossipKeyChange, error) { return ring.UseGossipKey(t.Context(), "c") },
		"a": func() (*client.GossipKeyChange, error) { return ring.RemoveGossipKey(t.Context(), "a") },
	} {
		came, err := do()
		noError(t, err)
		if !came.Changed || came.Fingerprint != map[string]string{"c": "c", "C": "c", "a": "a"}[step] {
			t.Errorf("%+v", came)
		}
	}
	n.on("UseGossipKey", func(*call) error { n.stop(); return errCut })
	_, err = ring.UseGossipKey(t.Context(), "c")
	wantReason(t, err, candor.ReasonOutcomeUnknown)
	if len(s.node("n2").calls) != 0 {
		t.Error("another node was asked")
	}
}

func TestAGossipKeyIsNotSentInTheClear(t *testing.T) {
	s := newStage(t, "n1")
	_, err := s.client([]string{"n1"}).Node("n1:1").AddGossipKey(t.Context(), client.NewGossipKey())
	wantReason(t, err, candor.ReasonInvalid)
	if len(s.node("n1").calls) != 0 {
		t.Error("it was sent")
	}
}

func TestTheFingerprintOfAGossipKey(t *testing.T) {
	got, err := client.GossipFingerprint(" QUFBQUFBQUFBQUFBQUFBQQ==\n")
	noError(t, err)
	if got != "991204fba2b6216d" {
		t.Errorf("%s", got)
	}
	for _, wrong := range []string{"", "QUFB", "not base64 at all", client.NewGossipKey() + client.NewGossipKey()} {
		_, err := client.GossipFingerprint(wrong)
		wantReason(t, err, candor.ReasonInvalid)
	}
	one, other := client.NewGossipKey(), client.NewGossipKey()
	if one == other {
		t.Error("two keys are one")
	}
}

func tells(end error, lines ...string) script {
	return func(c *call) error {
		for _, line := range lines {
			if err := c.send(&candorv1.TailAuditResponse{Line: []byte(line)}); err != nil {
				return err
			}
		}
		return end
	}
}

func TestTheAuditLogIsToldLineByLine(t *testing.T) {
	s := newStage(t, "n1", "n2")
	n2 := s.node("n2")
	n2.on("TailAudit", tells(nil, "a", "b"))
	k := s.client([]string{"n1"})
	var got []string
	take := func(line []byte) error {
		got = append(got, string(line))
		return nil
	}
	q := client.AuditQuery{Last: -1, Actor: "ana", Verdict: "DENIED", Method: "Create", Kind: "widgets"}
	noError(t, k.Node("n2:1").TailAudit(t.Context(), q, take))
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	in := n2.arrived("TailAudit")[0].in.(*candorv1.TailAuditRequest)
	if in.GetLast() != -1 || in.GetFollow() || in.GetActor() != "ana" || in.GetVerdict() != "DENIED" || in.GetMethod() != "Create" || in.GetKind() != "widgets" {
		t.Errorf("asked for %v", in)
	}
	enough := errors.New("enough")
	if err := k.Node("n2:1").TailAudit(t.Context(), q, func([]byte) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("%v, want what the caller said", err)
	}
	// Who follows wants to know why it ended, even if it ended well.
	q.Follow = true
	for want, end := range map[candor.Reason]error{
		candor.ReasonUnavailable: nil, candor.ReasonForbidden: &candor.Error{Reason: candor.ReasonForbidden, Message: "no more"},
		candor.ReasonShuttingDown: &candor.Error{Reason: candor.ReasonShuttingDown, Message: "the server stops"},
	} {
		n2.on("TailAudit", tells(end, "a"))
		got = nil
		wantReason(t, k.Node("n2:1").TailAudit(t.Context(), q, take), want)
		if len(got) != 1 {
			t.Errorf("%s: told %q", want, got)
		}
	}
	n2.on("TailAudit", tells(&candor.Error{Reason: candor.ReasonForbidden, Message: "no"}))
	wantReason(t, k.Node("n2:1").TailAudit(t.Context(), client.AuditQuery{}, take), candor.ReasonForbidden)
	wantReason(t, k.Node("").TailAudit(t.Context(), q, take), candor.ReasonInvalid)
}

// A node that says nothing at all is given up in time; one that has begun may be
// silent for as long as nothing happens.
func TestOnlyTheBeginningOfATailIsHurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, "n1")
		n1, k := s.node("n1"), s.client([]string{"n1"})
		q := client.AuditQuery{Follow: true}
		n1.on("TailAudit", hangs)
		began := time.Now()
		wantReason(t, k.Node("n1:1").TailAudit(t.Context(), q, func([]byte) error { return nil }), candor.ReasonTimedOut)
		if took := time.Since(began); took != client.DefaultTimeout {
			t.Errorf("given up after %s", took)
		}
		n1.on("TailAudit", func(c *call) error {
			if err := c.send(&candorv1.TailAuditResponse{Line: []byte("a")}); err != nil {
				return err
			}
			return hangs(c)
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*client.DefaultTimeout, cancel)
		began = time.Now()
		wantReason(t, k.Node("n1:1").TailAudit(ctx, q, func([]byte) error { return nil }), candor.ReasonCanceled)
		if took := time.Since(began); took != 3*client.DefaultTimeout {
			t.Errorf("ended after %s", took)
		}
	})
}
