package telemetry

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/client"
	"github.com/candor-plane/candor/server"
	"github.com/candor-plane/candor/server/servertest"
)

// stuck is a sink that takes nothing until its context ends.
type stuck struct{}

func (stuck) Deliver(ctx context.Context, _ []sdktrace.ReadOnlySpan) error {
	<-ctx.Done()
	return ctx.Err()
}

func (stuck) Close() error { return nil }

// TestAnExporterThatHangsDelaysNoWrite: neither the write's own server nor the
// rest of the cluster waits for it; what finds no room is dropped and counted.
func TestAnExporterThatHangsDelaysNoWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room, writes = 64, 200
		p := Config{Sample: 1, Getenv: none}.pipeline(newQueue(stuck{}, room, func(error) {}))
		t.Cleanup(func() { p.Close(t.Context()) }) // which is over then: nothing would come of waiting
		c := servertest.Start(t, servertest.WithTracing(server.Tracing{Provider: p.Provider(), Counts: p.Counts}))
		k, err := client.New(client.Config{Endpoints: []string{c.Follower().Name()}, Actor: "test", Dialer: c.Dialer(), Tracer: p.Provider()})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = k.Close() }()
		for range writes {
			began := time.Now()
			_, err := k.Create(t.Context(), &candor.Object{
				APIVersion: candor.APIVersion, Kind: "Namespace", Metadata: candor.Metadata{Name: "n" + began.Format("150405000000000")}, Spec: []byte(`{}`),
			})
			if err != nil && candor.ReasonOf(err) != candor.ReasonAlreadyExists {
				t.Fatal(err)
			}
			if took := time.Since(began); took > exportTimeout/10 {
				t.Errorf("a write took %s", took)
			}
		}
		if _, dropped, _ := p.Counts(); dropped < writes {
			t.Errorf("%d spans dropped of %d writes with room for %d", dropped, writes, room)
		}
	})
}

// TestClosingDeliversWhatWaits, and counts what comes too late.
func TestClosingDeliversWhatWaits(t *testing.T) {
	kept := &keeping{}
	p := Config{Sample: 1, Getenv: none}.pipeline(newQueue(kept, mostQueued, func(error) {}))
	tracer := p.Provider().Tracer("test")
	const spans = 3*mostAtOnce + 1
	for range spans {
		_, span := tracer.Start(t.Context(), "span")
		span.End()
	}
	_, late := tracer.Start(t.Context(), "late")
	p.Close(t.Context())
	late.End()
	if delivered, dropped, failed := p.Counts(); kept.spans != spans || delivered != spans || dropped != 1 || failed != 0 {
		t.Errorf("kept %d; delivered %d, dropped %d, failed %d", kept.spans, delivered, dropped, failed)
	}
}

// TestAFailureIsToldOnceUntilADeliveryWorks.
func TestAFailureIsToldOnceUntilADeliveryWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, told := &keeping{err: errors.New("no")}, 0
		q := newQueue(kept, mostQueued, func(error) { told++ })
		p := Config{Sample: 1, Getenv: none}.pipeline(q)
		deliver := func() {
			_, span := p.Provider().Tracer("test").Start(t.Context(), "span")
			span.End()
			time.Sleep(2 * deliverEvery)
			synctest.Wait()
		}
		deliver()
		deliver()
		if told != 1 {
			t.Errorf("told %d times of two failures in a row", told)
		}
		kept.err = nil
		deliver()
		kept.err = errors.New("no")
		deliver()
		p.Close(t.Context())
		if delivered, _, failed := p.Counts(); told != 2 || delivered != 1 || failed != 3 {
			t.Errorf("told %d times; delivered %d, failed %d", told, delivered, failed)
		}
	})
}

// keeping counts the spans that it takes.
type keeping struct {
	spans int
	err   error
}

func (k *keeping) Deliver(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	if k.err == nil {
		k.spans += len(spans)
	}
	return k.err
}

func (k *keeping) Close() error { return nil }

func none(string) string { return "" }
