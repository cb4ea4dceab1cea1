package shim

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/candor-plane/candor"
)

// EndForgotten ends what shims of the command line self run for instances below the
// folder that have no order there any more, and returns the instances' UIDs: somebody
// wiped the folder. Each command is asked to end, and has its grace within 20 s; a shim
// whose folder is gone cannot record the end, and is killed then. Shims of other folders
// are left alone.
func EndForgotten(ctx context.Context, self []string, instances string) ([]string, error) {
	pids, err := processes()
	if err != nil {
		return nil, err
	}
	found := map[string]*process{}
	var errs []error
	for _, pid := range pids {
		p, uid, err := forgotten(ctx, pid, self, instances)
		switch {
		case p == nil:
			errs = append(errs, err)
		case found[uid] != nil: // what it leaves, bury finds
			errs = append(errs, p.signal(syscall.SIGKILL), p.close())
		default:
			found[uid] = p
		}
	}
	uids := slices.Sorted(maps.Keys(found))
	ended := make([]error, len(uids))
	var all sync.WaitGroup
	for i, uid := range uids {
		all.Go(func() { ended[i] = bury(ctx, found[uid], uid) })
	}
	all.Wait()
	return uids, errors.Join(append(errs, ended...)...)
}

// forgotten opens the process if it is a shim of an instance that the folder has no order
// of; nil for every other.
func forgotten(ctx context.Context, pid int, self []string, instances string) (*process, string, error) {
	id, alive := identify(pid)
	if !alive {
		return nil, "", nil
	}
	dir := shimOf(pid, self)
	if dir == "" || !sameFolder(filepath.Dir(string(dir)), instances) {
		return nil, "", nil
	}
	if order, err := dir.Order(); order != nil || err != nil {
		return nil, "", nil //nolint:nilerr // there is an order, though it cannot be read
	}
	p, err := openProcess(ctx, id)
	if p == nil || err != nil {
		return nil, "", err
	}
	if shimOf(pid, self) != dir { // asked again now that the process cannot be another
		return nil, "", p.close()
	}
	return p, filepath.Base(string(dir)), nil
}

// shimOf is the folder of the shim that the process is; empty for one that is none. Shims
// are told by what follows the program: an upgrade may have put that elsewhere.
func shimOf(pid int, self []string) Dir {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return ""
	}
	words := bytes.Split(bytes.TrimSuffix(line, []byte{0}), []byte{0})
	if len(words) != len(self)+1 {
		return ""
	}
	for i, word := range self[1:] {
		if string(words[i+1]) != word {
			return ""
		}
	}
	dir := string(words[len(self)])
	if !filepath.IsAbs(dir) {
		return ""
	}
	return Dir(dir)
}

func sameFolder(one, other string) bool {
	if one == other {
		return true
	}
	a, err := os.Stat(one)
	if err != nil {
		return false
	}
	b, err := os.Stat(other)
	return err == nil && os.SameFile(a, b)
}

// bury ends a shim that is forgotten, what it runs first, and closes its process.
func bury(ctx context.Context, p *process, uid string) error {
	ctx, cancel := context.WithTimeout(ctx, patience+patience)
	defer cancel()
	err := p.signal(syscall.SIGTERM)
	for end := time.Now().Add(patience); err == nil && time.Now().Before(end); {
		var left bool
		if left, err = anyMarked(uid); err != nil || !left {
			break
		}
		if pause(ctx, 10*time.Millisecond) != nil {
			break
		}
	}
	err = errors.Join(err, p.signal(syscall.SIGKILL), p.wait(ctx), p.close(), killStrays(ctx, uid))
	return candor.Wrap("end what is left of instance "+uid, err)
}

func anyMarked(uid string) (bool, error) {
	pids, err := processes()
	if err != nil {
		return false, err
	}
	mark := []byte(uidVariable + "=" + uid)
	for _, pid := range pids {
		if _, alive := identify(pid); !alive || pid == os.Getpid() {
			continue
		}
		if marked, err := isMarked(pid, mark); marked || err != nil {
			return marked, err
		}
	}
	return false, nil
}
