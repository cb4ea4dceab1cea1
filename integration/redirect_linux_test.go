package integration

import (
	"os/exec"

	"golang.org/x/sys/unix"

	"github.com/candor-plane/candor/drill/network"
	"github.com/candor-plane/candor/drill/stage/calls"
	drilled "github.com/candor-plane/candor/drill/stage/process"
)

// lead has the kernel ask about each connect of the server, and leads it. Where the
// kernel does not ask, the server's beginning skips the test.
func (l *links) lead(p *process, place *network.Placement) {
	p.start = func(child *exec.Cmd) error { return place.Start(child.Start) }
	p.watches = append(p.watches, drilled.Watch{Numbers: []uint32{unix.SYS_CONNECT}, Decide: func(from *calls.Calls, call *calls.Call) {
		place.Lead(call.Thread, call.Arguments[1])
		from.Pass(call)
	}})
}
