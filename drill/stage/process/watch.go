package process

import (
	"os/exec"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/stage/calls"
)

// Watch has system calls of a run wait until Decide answers them: at once, or later.
type Watch struct {
	Numbers []uint32
	Decide  func(from *calls.Calls, call *calls.Call)
	// Gone, if it is not nil, is told once the run is gone: nobody awaits answers then.
	Gone func(from *calls.Calls)
}

// watched begins a run whose calls are asked about. The kernel's refusal is
// UNIMPLEMENTED.
func (s *Server) watched(begin func(child *exec.Cmd, start func(*exec.Cmd) error) (*Run, error), args []string) (*Run, error) {
	var numbers []uint32
	byNumber := map[uint32]*Watch{}
	for i := range s.Watches {
		w := &s.Watches[i]
		for _, n := range w.Numbers {
			byNumber[n] = w
		}
		numbers = append(numbers, w.Numbers...)
	}
	var receive func() (*calls.Calls, error)
	r, err := begin(calls.Command(s.Child, numbers, s.Binary, args...), func(child *exec.Cmd) (err error) {
		receive, err = calls.Start(child, s.start())
		return err
	})
	if err != nil {
		return nil, err
	}
	from, err := receive()
	if err != nil {
		close(r.served)
		r.Kill()
		said, _ := r.Said() // what it said is beside the point then
		if calls.Refused(said) {
			return nil, candor.Errorf(candor.ReasonUnimplemented, "%s: %s", s.Name, said)
		}
		return nil, candor.Errorf(candor.ReasonInternal, "%s did not begin: %w: %s", s.Name, err, said)
	}
	go func() {
		defer close(r.served)
		from.Serve(func(call *calls.Call) {
			if w := byNumber[uint32(call.Number)]; w != nil {
				w.Decide(from, call)
				return
			}
			from.Pass(call)
		})
		for _, w := range s.Watches {
			if w.Gone != nil {
				w.Gone(from)
			}
		}
		from.Close()
	}()
	return r, nil
}
