package network

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/candor-plane/candor"
)

// Layer is what the links are made of.
type Layer string

// The layers.
const (
	Namespaces Layer = "namespaces"
	Proxies    Layer = "proxies"
)

// Options of New.
type Options struct {
	// Layer; empty for namespaces, or proxies where those cannot be made.
	Layer Layer
	// Seed of all chance.
	Seed uint64
}

// Links is the network between the servers of one cluster. Its methods may be
// called concurrently.
type Links struct {
	layer   Layer
	refused error
	carrier carrier
	ways    *ways

	// changing lets one change of the faults be made, and tried, at a time.
	changing sync.Mutex
	faults   map[*Fault]bool

	once   sync.Once
	closed error
}

// carrier carries the messages of a layer.
type carrier interface {
	// place makes room for one more server, whose ways to and from the others are there.
	place(name, api, raft string) (*Placement, error)
	dial(ctx context.Context, from, address string) (net.Conn, error)
	// divert is told that something befalls a way now, or that nothing does.
	divert(d Direction, befallen bool) error
	// send sends a number the way of the servers' own messages; it is an error if that
	// is not their way. The carrier tells arrivals of each that arrives.
	send(d Direction, number uint64) error
	close() error
}

// New makes links without servers. It is refused with UNIMPLEMENTED where the
// layer cannot be made. The caller closes them.
func New(ctx context.Context, o Options) (*Links, error) {
	l := &Links{layer: o.Layer, ways: newWays(o.Seed), faults: map[*Fault]bool{}}
	var err error
	switch o.Layer {
	case Namespaces:
		l.carrier, err = newNamespaces(l.ways)
	case Proxies:
		l.carrier, err = newProxies(ctx, l.ways)
	case "":
		l.layer = Namespaces
		if l.carrier, l.refused = newNamespaces(l.ways); l.refused != nil {
			l.layer = Proxies
			if l.carrier, err = newProxies(ctx, l.ways); err != nil {
				err = errors.Join(l.refused, err)
			}
		}
	default:
		err = candor.Errorf(candor.ReasonInvalid, "layer %q: want %s, %s or none for the best of them", o.Layer, Namespaces, Proxies)
	}
	if err != nil {
		return nil, err
	}
	return l, nil
}

// Layer is what the links are made of.
func (l *Links) Layer() Layer { return l.layer }

// Refused says why the links are no namespaces, where those were tried.
func (l *Links) Refused() error { return l.refused }

// Place gives a server, which has not begun, its place. api and raft are free
// addresses of this machine's loopback; over namespaces only their ports are kept.
func (l *Links) Place(name, api, raft string) (*Placement, error) {
	for _, address := range []string{api, raft} {
		if err := checkAddress(name, address); err != nil {
			return nil, err
		}
	}
	if err := l.ways.join(name); err != nil {
		return nil, err
	}
	return l.carrier.place(name, api, raft)
}

func checkAddress(name, address string) error {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || port == "" || port == "0" || ip == nil || !ip.IsLoopback() || ip.To4() == nil {
		return candor.Errorf(candor.ReasonInvalid, "place %q: address %q: want 127.0.0.1 and a port", name, address)
	}
	return nil
}

// Dial connects to an address of a server: from another server's place, or with
// an empty name from the clients'.
func (l *Links) Dial(ctx context.Context, from, address string) (net.Conn, error) {
	if from != "" && !slices.Contains(l.ways.servers(), from) {
		return nil, l.ways.unknown(from)
	}
	return l.carrier.dial(ctx, from, address)
}

// Cut loses all that goes these ways, without a word to anyone; connections stay,
// and go on after that. It wants what is cut to have delivered before and not to
// deliver now; otherwise it has mended what it cut, and is an error. The caller
// heals the fault.
func (l *Links) Cut(ctx context.Context, directions ...Direction) (*Fault, error) {
	return l.begin(ctx, &Fault{links: l, directions: directions, cut: true})
}

// Shape has this befall the directions. It is seen to bite by the fault's Bite,
// once servers send something. The caller heals the fault.
func (l *Links) Shape(ctx context.Context, s Shape, directions ...Direction) (*Fault, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.Duplicate > 0 && l.layer == Proxies {
		return nil, candor.Errorf(candor.ReasonUnimplemented, "shape of a link: nothing arrives twice on a TCP connection, which is what proxies carry: use namespaces")
	}
	return l.begin(ctx, &Fault{links: l, directions: directions, shape: s})
}

// Heal ends all that befalls these directions, of whichever faults, and sees to
// it that they deliver.
func (l *Links) Heal(ctx context.Context, directions ...Direction) error {
	return l.end(ctx, func(_ *Fault, d Direction) bool { return slices.Contains(directions, d) })
}

// HealAll ends everything that befalls any direction.
func (l *Links) HealAll(ctx context.Context) error {
	return l.end(ctx, func(*Fault, Direction) bool { return true })
}

// Delivers sends something the way of the servers' own messages and says whether
// it arrives, within the time that the direction's shape lets it take. It is an
// error if this is not their way.
func (l *Links) Delivers(ctx context.Context, d Direction) (bool, error) {
	w, err := l.ways.way(d)
	if err != nil {
		return false, err
	}
	return l.delivers(ctx, w)
}

// Holds wants exactly what is cut to be cut, between all of these servers, and
// names each direction that is not as it was made. Those that lose some of what
// they carry it does not judge.
func (l *Links) Holds(ctx context.Context, names ...string) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	var all []Direction
	for _, from := range names {
		for _, to := range names {
			if from != to {
				all = append(all, Direction{from, to})
			}
		}
	}
	return l.try(ctx, all...)
}

// Counters are those of every direction.
func (l *Links) Counters() map[Direction]Counters {
	out := map[Direction]Counters{}
	for _, w := range l.ways.all() {
		out[w.Direction] = w.counters()
	}
	return out
}

// Close ends the network and waits for all that it began. Servers that were
// started in it must have ended.
func (l *Links) Close() error {
	l.once.Do(func() { l.closed = l.carrier.close() })
	return l.closed
}

// begin has one more fault befall its directions.
func (l *Links) begin(ctx context.Context, f *Fault) (*Fault, error) {
	l.changing.Lock()
	defer l.changing.Unlock()
	f.before = map[Direction]Counters{}
	var whole []Direction
	for _, d := range f.directions {
		w, err := l.ways.way(d)
		if err != nil {
			return nil, err
		}
		f.before[d] = w.counters()
		if c, _ := w.condition(); f.cut && !c.cut {
			whole = append(whole, d)
		}
	}
	if err := l.try(ctx, whole...); err != nil {
		return nil, fmt.Errorf("before the cut: %w", err)
	}
	l.faults[f] = true
	err := l.make(f.directions...)
	if err == nil && f.cut {
		err = l.try(ctx, f.directions...)
	}
	if err != nil {
		delete(l.faults, f)
		return nil, errors.Join(err, l.make(f.directions...))
	}
	return f, nil
}

// end takes directions from faults. They are whole in any case, and tried while
// the context lasts.
func (l *Links) end(ctx context.Context, ends func(*Fault, Direction) bool) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	ended := map[Direction]bool{}
	for f := range l.faults {
		kept := slices.DeleteFunc(slices.Clone(f.directions), func(d Direction) bool { return ends(f, d) })
		for _, d := range f.directions {
			if !slices.Contains(kept, d) {
				ended[d] = true
			}
		}
		f.directions = kept
		if len(kept) == 0 {
			delete(l.faults, f)
		}
	}
	all := slices.Collect(maps.Keys(ended))
	if err := l.make(all...); err != nil {
		return err
	}
	return l.try(ctx, all...)
}

// make makes the directions what all faults together want them to be.
func (l *Links) make(directions ...Direction) error {
	var failed error
	for _, d := range directions {
		w, err := l.ways.way(d)
		if err != nil {
			return err
		}
		var c condition
		for f := range l.faults {
			if slices.Contains(f.directions, d) {
				c.cut = c.cut || f.cut
				c.shape = c.shape.and(f.shape)
			}
		}
		before, _ := w.condition()
		w.set(c)
		if before.whole() != c.whole() {
			failed = errors.Join(failed, l.carrier.divert(d, !c.whole()))
		}
	}
	return failed
}
