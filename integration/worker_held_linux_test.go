package integration

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/candor-plane/candor"
)

// TestAWorkerWhoseNodeAnotherHasEndsWhatItFindsOfItsOwn: it was killed, another data
// directory took the name over, and then it comes back: nothing runs twice from then on.
func TestAWorkerWhoseNodeAnotherHasEndsWhatItFindsOfItsOwn(t *testing.T) {
	t.Parallel()
	p := newPlant(t, 1)
	former := p.workers[0]
	if _, err := p.k.Create(p.ctx, p.sleepers(3, "one")); err != nil {
		t.Fatal(err)
	}
	p.run("three commands run", 3, nil)
	former.kill()

	later := newProcess(t, p.dir, "later")
	later.launch = func(...string) *exec.Cmd {
		return exec.Command(binary, "worker", "--name", former.name, "--data-dir", later.data, "--server", strings.Join(p.addresses(), ","), "--cpu", "8", "--memory", "1Gi")
	}
	later.name = former.name
	p.again(later)
	until(p.ctx, t, "the other one runs three commands", func() bool { return len(shims(later.data)) == 3 })
	if n := len(shims(former.data)); n != 3 {
		t.Fatalf("%d commands of the former worker are left, want all 3", n)
	}

	former.begin(t)
	until(p.ctx, t, "the former one has ended its own", func() bool { return len(shims(former.data)) == 0 })
	p.run("three commands run, and no other", 3, nil)
	if said := former.said(t); !strings.Contains(said, string(candor.ReasonNodeHeld)) || strings.Contains(said, "the node is registered: ") {
		t.Errorf("it says:\n%s", said)
	}
}
