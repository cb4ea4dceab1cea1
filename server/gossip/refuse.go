package gossip

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"

	candor "github.com/candor-plane/candor"
)

// refuse makes the error for an input that cannot be used as it is.
func refuse(format string, args ...any) error {
	return candor.Errorf(candor.ReasonInvalid, format, args...)
}

// said is an error's message without its reason, for the middle of another.
func said(err error) string {
	if e, ok := errors.AsType[*candor.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// bindError gives a failed start its reason. memberlist flattens the system's
// error to text, so the ports are tried once more to learn what stands in the way.
func bindError(ctx context.Context, addr string, port int, cause error) error {
	hostPort := net.JoinHostPort(addr, strconv.Itoa(port))
	if errors.Is(tryBind(ctx, hostPort), syscall.EADDRINUSE) {
		err := candor.Errorf(candor.ReasonAddressInUse,
			"gossip address %s is in use; choose another or stop what listens there: %w", hostPort, cause)
		err.Subject = hostPort
		return err
	}
	return candor.Errorf(candor.ReasonUnavailable, "gossip cannot listen on %s: %w", hostPort, cause)
}

func tryBind(ctx context.Context, hostPort string) error {
	var l net.ListenConfig
	tcp, err := l.Listen(ctx, "tcp", hostPort)
	if err != nil {
		return err
	}
	udp, err := l.ListenPacket(ctx, "udp", hostPort)
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	return errors.Join(tcp.Close(), udp.Close())
}
