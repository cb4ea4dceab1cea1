package network

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"github.com/candor-plane/candor/drill/doctor"
)

// Checks are the doctor's of what links are made of.
func Checks() []doctor.Check {
	return []doctor.Check{checkNamespaces, checkShelter, checkProxies}
}

// checkNamespaces makes a whole network, and puts it away.
func checkNamespaces(context.Context) doctor.Probe {
	p := doctor.Probe{
		Injector: "network namespaces", Use: "cut, delay, lose, reorder and double packets between servers",
		Fallback: "the same in user namespaces of the drill's own; else proxies",
	}
	n, err := newNamespaces(newWays(0))
	if err == nil {
		err = n.close()
	}
	return p.Tried(err)
}

// checkShelter starts a program as Shelter does.
func checkShelter(ctx context.Context) doctor.Probe {
	p := doctor.Probe{
		Injector: "user namespaces", Use: "network namespaces, and mounts, without rights on the machine",
		Fallback: "proxies",
	}
	command := exec.CommandContext(ctx, "ip", "link", "add", "bridge", "type", "bridge")
	Shelter(command)
	out, err := command.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return p.Tried(err)
}

func checkProxies(ctx context.Context) doctor.Probe {
	p := doctor.Probe{
		Injector: "proxies between servers", Use: "cut, delay, lose and reorder what servers' connections carry",
		Fallback: "none: links between servers stay whole",
	}
	calls := doctor.SystemCalls(ctx)
	p.Able, p.Why = calls.Able, calls.Why
	return p
}
