package worker

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/candor-plane/candor/worker/shim"
)

// tidyEvery is how often directories are looked at.
const tidyEvery = 10 * time.Second

// tidy removes the directories of instances that are over and that nobody asks for any
// more, once they are old, or too many. It begins when it is known what is asked for: the
// end of the others may be nowhere else.
func (a *Agent) tidy() {
	for rest(a.ctx, tidyEvery) {
		if !a.knowsAll() {
			continue
		}
		if err := a.sweep(time.Now()); err != nil {
			a.log.Warn("old instances are not removed", "error", err)
		}
	}
}

func (a *Agent) knowsAll() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.listed
}

// past is the directory of an instance that is over.
type past struct {
	dir   shim.Dir
	ended time.Time
}

func (a *Agent) sweep(now time.Time) error {
	entries, err := os.ReadDir(filepath.Join(a.config.Data, "instances"))
	if err != nil {
		return err
	}
	var over []past
	for _, e := range entries {
		if a.wanted(e.Name()) {
			continue
		}
		if p, ok := pastOf(a.dir(e.Name())); ok {
			over = append(over, p)
		}
	}
	slices.SortFunc(over, func(x, y past) int { return y.ended.Compare(x.ended) })
	for n, p := range over {
		if n < a.config.RetainCount && now.Sub(p.ended) < a.config.Retain {
			continue
		}
		if err := os.RemoveAll(string(p.dir)); err != nil {
			return err
		}
		a.log.Debug("the directory of an instance was removed", "directory", string(p.dir), "ended", p.ended)
	}
	return nil
}

// wanted says whether the instance is looked after. One that is over and was asked for
// to the end goes out of the keepers here.
func (a *Agent) wanted(uid string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := a.keepers[uid]
	if k == nil {
		return false
	}
	if a.over[uid] && !a.reporter.knows(uid) {
		delete(a.keepers, uid)
		delete(a.over, uid)
		return false
	}
	return true
}

// pastOf is not ok for a directory whose instance may still run.
func pastOf(dir shim.Dir) (past, bool) {
	record, err := dir.Record()
	if err != nil || record != nil && record.State != shim.StateEnded {
		return past{}, false
	}
	if record != nil {
		return past{dir, record.EndedAt}, true
	}
	order, err := dir.Order()
	if err != nil || order == nil {
		return past{}, false
	}
	return past{dir, order.PlacedAt}, true
}
