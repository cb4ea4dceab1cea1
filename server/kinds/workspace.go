package kinds

import "sync"

// workspace is the memory of one preparation, used again and again.
type workspace struct {
	document document
	walk     walk
}

var workspaces sync.Pool

func newWorkspace() *workspace {
	if w, ok := workspaces.Get().(*workspace); ok {
		return w
	}
	return &workspace{}
}

// maxIdle is how many nodes a workspace may hold while it waits for work.
const maxIdle = 4096

// release gives the workspace back, without what it referred to.
func (w *workspace) release() {
	if cap(w.document.nodes) > maxIdle || cap(w.walk.additions) > maxIdle || cap(w.walk.seen) > maxIdle {
		return
	}
	w.document.text, w.walk.document, w.walk.unknown = nil, nil, faults{}
	workspaces.Put(w)
}
