package replica

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/candor-plane/candor"
)

func TestEveryRefusalIsRememberedAndAdmittedRequestsAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a Admissions
		asked := 0
		actor := func() string { asked++; return "ana" }
		refused := candor.Errorf(candor.ReasonNotLeader, "no")
		for range 100 {
			a.Judge(candor.AdmitRead, "Get", nil, actor)
		}
		a.Judge(candor.AdmitWrite, "Create", nil, actor)
		for range 3 {
			a.Judge(candor.AdmitRead, "List", refused, actor)
		}
		if got := len(a.Newest()); got != 5 || asked != 5 {
			t.Errorf("%d remembered, the actor asked %d times; want a read, a write and three refusals", got, asked)
		}
		for i := range 2 * judgedKept {
			time.Sleep(judgedPause)
			a.Judge(candor.AdmitRead, fmt.Sprint("Get", i), nil, actor)
			a.Judge(candor.AdmitWrite, fmt.Sprint("Create", i), refused, actor)
		}
		last := a.Newest()
		if len(last) != 2*judgedKept {
			t.Fatalf("%d remembered, want %d of each", len(last), judgedKept)
		}
		for i, j := range last {
			if want := fmt.Sprint(2*judgedKept - 1 - i/2); !strings.HasSuffix(j.Method, want) {
				t.Errorf("number %d is %s, want one of %s: newest first", i, j.Method, want)
			}
		}
		if a.Counters()[0] != (Admission{candor.AdmitRead, admitted, 100 + 2*judgedKept}) {
			t.Errorf("counted %+v", a.Counters())
		}
	})
}

func TestAnActorThatCannotBeShownIsRemembered(t *testing.T) {
	var a Admissions
	a.Judge(candor.AdmitWrite, "Create", candor.Errorf(candor.ReasonInvalid, "actor"), func() string {
		return strings.Repeat("\xff", 2*candor.MaxActorBytes)
	})
	if got := a.Newest()[0].Actor; got != "?" {
		t.Errorf("actor %q, want it as UTF-8", got)
	}
}

func TestAnErrorAfterAdmissionIsRememberedAsAccepted(t *testing.T) {
	var a Admissions
	a.Judge(candor.AdmitWrite, "Create", errors.New("later"), func() string { return "ana" })
	if got := a.Newest()[0].Reason; got != admitted {
		t.Errorf("reason %s, want %s as it is counted", got, admitted)
	}
}

func BenchmarkAdmission(b *testing.B) {
	b.Run("count", func(b *testing.B) {
		var a Admissions
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				a.Count(candor.AdmitRead, nil)
			}
		})
	})
	refused := candor.Errorf(candor.ReasonNotLeader, "no")
	for name, err := range map[string]error{"judge admitted": nil, "judge refused": refused} {
		b.Run(name, func(b *testing.B) {
			var a Admissions
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					a.Judge(candor.AdmitRead, "/candor.v1.ObjectService/Get", err, func() string { return "ana" })
				}
			})
		})
	}
}
