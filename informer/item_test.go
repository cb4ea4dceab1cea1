package informer_test

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/informer"
)

func instance(name string, revision uint64, spec, status, observed string) *candor.Object {
	return &candor.Object{
		Metadata: candor.Metadata{Namespace: "shop", Name: name, UID: "uid-" + name, ResourceVersion: revision},
		Spec:     json.RawMessage(spec), Status: json.RawMessage(status), Observed: json.RawMessage(observed),
	}
}

// counted counts how often it is decoded.
type counted struct{ Priority int }

var decodings = struct {
	sync.Mutex
	n int
}{}

func (c *counted) UnmarshalJSON(data []byte) error {
	decodings.Lock()
	decodings.n++
	decodings.Unlock()
	type plain counted
	return json.Unmarshal(data, (*plain)(c))
}

func TestASectionIsDecodedOnceForEachTypeWhoeverAsks(t *testing.T) {
	decodings.n = 0
	item := informer.NewItem(candor.KindInstances, instance("a", 7, `{"priority":3}`, "", ""))
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			c, err := informer.Spec[counted](item)
			if err != nil || c.Priority != 3 {
				t.Errorf("got %+v, %v", c, err)
			}
			s, err := informer.Spec[candor.InstanceSpec](item)
			if err != nil || s.Priority != 3 {
				t.Errorf("got %+v, %v", s, err)
			}
		})
	}
	all.Wait()
	one, _ := informer.Spec[counted](item)
	two, _ := informer.Spec[counted](item)
	if decodings.n != 1 || one != two {
		t.Errorf("decoded %d times", decodings.n)
	}
}

func TestASectionThatIsAbsentIsZeroAndOneThatDoesNotDecodeIsRefused(t *testing.T) {
	item := informer.NewItem(candor.KindInstances, instance("a", 7, `{"priority":"high"}`, "", `{"state":"Running"}`))
	if s, err := informer.Status[candor.InstanceStatus](item); err != nil || s == nil || s.Phase != "" {
		t.Errorf("status: %+v, %v", s, err)
	}
	if o, err := informer.Observed[candor.InstanceObserved](item); err != nil || o.State != candor.ProcessRunning {
		t.Errorf("observed: %+v, %v", o, err)
	}
	_, err := informer.Spec[candor.InstanceSpec](item)
	_, again := informer.Spec[candor.InstanceSpec](item)
	if candor.ReasonOf(err) != candor.ReasonInvalid || err != again { //nolint:errorlint // it is to be the very same
		t.Errorf("spec: %v, then %v", err, again)
	}
}

func TestOneSpecIsDecodedOnceForAllThatWereMadeFromItAndItsErrorIsEachOnes(t *testing.T) {
	decodings.n = 0
	s := informer.New([]candor.KindName{candor.KindInstances})
	made := []*candor.Object{
		instance("a", 3, `{"priority":3}`, "", ""), instance("b", 3, `{"priority":3}`, "", ""),
		instance("c", 3, `{"priority":"high"}`, "", ""), instance("d", 3, `{"priority":"high"}`, "", ""),
	}
	if err := s.Replace(candor.KindInstances, candor.Token{Term: 1, Index: 3, Revision: 3}, made); err != nil {
		t.Fatal(err)
	}
	get := func(name string) *informer.Item {
		return s.Read().Get(candor.Ref{Kind: candor.KindInstances, Namespace: "shop", Name: name})
	}
	a, _ := informer.Spec[counted](get("a"))
	b, _ := informer.Spec[counted](get("b"))
	if a == nil || a != b || decodings.n != 1 {
		t.Errorf("%p and %p, decoded %d times", a, b, decodings.n)
	}
	for _, name := range []string{"c", "d"} {
		_, err := informer.Spec[candor.InstanceSpec](get(name))
		e, _ := errors.AsType[*candor.Error](err)
		if e == nil || e.Subject != get(name).Ref().String() {
			t.Errorf("%s: %v", name, err)
		}
	}
}
