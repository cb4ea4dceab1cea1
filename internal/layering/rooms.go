package layering

import (
	"path"
	"slices"
	"strings"
)

// A room is a folder of the repository and what its files may import of the
// others. The table is ARCHITECTURE.md, "Who may import whom", as data; the two
// change together.
//
// Every room may import the root package and the folders below itself. A name
// in may allows that package, a name ending in /... also the packages below it.
type room struct {
	at    string // the folder; a last element * stands for each folder there
	may   []string
	plain bool     // standard library only, apart from the project's own packages
	never []string // modules that must not leak in here, by import path prefix
}

var rooms = []room{
	{at: "", plain: true},
	{at: "fsm", may: []string{"lexum/...", "internal/wire", "internal/zoo"}},
	{at: "freshness"},
	{at: "identity"},
	{at: "informer"},
	{at: "lexum"},
	{at: "rpc", may: []string{"internal/wire"}},
	{at: "coordinator", may: []string{"fsm/tenure", "fsm/transition", "informer", "internal/failpoint", "internal/zoo"}, never: []string{"github.com/hashicorp/raft", "google.golang.org/grpc"}},
	{at: "client", may: []string{"freshness/...", "identity/...", "informer", "rpc/...", "internal/wire", "internal/zoo"}},
	{at: "worker", may: []string{"client/...", "freshness/...", "identity/...", "informer", "rpc/..."}},

	// One node. Its children know nothing of one another: package server wires them.
	{at: "server", may: []string{"fsm/...", "freshness/...", "identity/...", "informer", "rpc/...", "coordinator/...", "internal/failpoint", "internal/wire"}},
	{at: "server/replica", may: []string{"fsm/...", "freshness/...", "identity/...", "rpc/...", "internal/failpoint", "internal/wire", "internal/zoo"}},
	{at: "server/*", may: []string{"fsm/...", "freshness/...", "identity/...", "rpc/...", "internal/wire", "internal/zoo"}},
	{at: servertest, may: []string{"server/...", "coordinator/...", "client/...", "drill/...", "fsm/...", "freshness/...", "identity/...", "informer", "rpc/...", "verify/...", "worker/...", "internal/wire"}},

	{at: "drill", may: []string{"client/...", "coordinator/scheduler/...", "fsm/...", "identity/...", "verify/..."}},
	{at: "verify", may: []string{"client/...", "fsm/...", "coordinator/allocator", "coordinator/scheduler/...", "internal/wire"}},
	{at: "verify/explore/transitionmodel", may: []string{"coordinator", "coordinator/topology", "fsm/tenure", "fsm/transition", "verify/explore"}},
	{at: "cmd", may: []string{"server", "worker/...", "client/...", "drill/...", "identity/...", "verify/..."}},
	{at: "integration", may: []string{"..."}},

	// An internal package imports no other room, and is imported by those that name it above.
	{at: "internal/wire", plain: true},
	{at: "internal/failpoint", plain: true},
	{at: "internal/zoo", plain: true},
	{at: "internal/*"},
}

// servertest may be imported by every test, and by nothing else.
const servertest = "server/servertest"

// roomOf is the row for a folder: the longest that fits. The root package's row
// is for the root folder alone.
func roomOf(dir string) (room, bool) {
	best, found := room{}, false
	for _, r := range rooms {
		if !r.holds(dir) {
			continue
		}

		if !found || r.depth() > best.depth() {
			best, found = r, true
		}
	}

	return best, found
}

func (r room) holds(dir string) bool {
	if r.at == "" || dir == "" {
		return r.at == dir
	}

	parent, each := strings.CutSuffix(r.at, "/*")
	if each {
		return strings.HasPrefix(dir, parent+"/")
	}

	return within(dir, r.at)
}

// depth orders rows: deeper folders first, and a named folder before a star.
func (r room) depth() int {
	depth := 2 * len(strings.Split(r.at, "/"))
	if strings.HasSuffix(r.at, "/*") {
		depth--
	}

	return depth
}

// home is the folder below which the files of dir may import freely.
func (r room) home(dir string) string {
	parent, each := strings.CutSuffix(r.at, "/*")
	if !each {
		return r.at
	}

	child, _, _ := strings.Cut(strings.TrimPrefix(dir, parent+"/"), "/")

	return path.Join(parent, child)
}

// allows says whether a file in dir, which is in room r, may import target.
func (r room) allows(dir, target string) bool {
	if target == "" {
		return true
	}

	if r.at != "" && within(target, r.home(dir)) {
		return true
	}

	return slices.ContainsFunc(r.may, func(name string) bool {
		below, tree := strings.CutSuffix(name, "...")
		below = strings.TrimSuffix(below, "/")

		return target == name || tree && (below == "" || within(target, below))
	})
}

// list names what the room may import, for a message.
func (r room) list() string {
	names := []string{"the root package"}
	if r.at == "" {
		names = nil
	}

	names = append(names, r.may...)
	if len(names) == 0 {
		return "nothing of this module"
	}

	return strings.Join(names, ", ")
}
