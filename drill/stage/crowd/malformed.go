package crowd

import (
	"context"
	"io"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/candor-plane/candor"
)

// mischief is one malformed request. It says whether the server refused it.
type mischief func(ctx context.Context, c *Crowd, address string) (bool, error)

// Malformed makes so many requests that are none, by turns of every sort, and counts
// those that the server refused: by an answer, or by ending the connection.
func (c *Crowd) Malformed(ctx context.Context, count int, addresses []string) (seen int, err error) {
	if len(addresses) == 0 {
		return 0, candor.Errorf(candor.ReasonInvalid, "nobody to ask")
	}
	sorts := []mischief{
		raw("GET / HTTP/1.1\r\nHost: candor\r\n\r\n"),
		raw("\x16\x03\x01\x00\x05hello, this is no handshake"),
		raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		raw(preface + "\x00\x00\x08\x01\x05\x00\x00\x00\x01\x80\x80\x80\xff\xff\xff\xff\xff"), // a header block that does not read
		raw(preface + "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00"),                 // a window that grows by nothing
		raw(preface + "\x00\x40\x00\x00\x00\x00\x00\x00\x00cut"),
		call("/candor.v1.ObjectService/Vanish", 16),
		call("/candor.v1.NoService/Create", 16),
		call("/candor.v1.ObjectService/Create", 512),
		call("/candor.v1.ObjectService/Create", 32<<20),
		call("/candor.v1.PeerService/Forward", 4<<10),
	}
	for i := range count {
		refused, err := sorts[i%len(sorts)](ctx, c, addresses[i/len(sorts)%len(addresses)])
		if err != nil {
			return seen, err
		}
		if refused {
			seen++
		}
	}
	return seen, nil
}

// raw sends bytes, ends its side, and wants the server to end the other one.
func raw(bytes string) mischief {
	return func(ctx context.Context, c *Crowd, address string) (bool, error) {
		conn, err := c.Dial(ctx, address)
		if err != nil {
			return false, candor.Wrap("malformed", err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
			return false, candor.Wrap("malformed", err)
		}
		if _, err := io.WriteString(conn, bytes); err != nil {
			return true, nil // it was turned away before its end
		}
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		_, err = io.Copy(io.Discard, conn)
		timeout, ok := err.(net.Error) //nolint:errorlint // a connection's own
		return !ok || !timeout.Timeout(), nil
	}
}

// call makes a gRPC call of a method with so many bytes that are no message of it.
func call(method string, size int) mischief {
	return func(ctx context.Context, c *Crowd, address string) (bool, error) {
		conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(c.Dial))
		if err != nil {
			return false, candor.Wrap("malformed", err)
		}
		defer conn.Close()
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		noise := make([]byte, size)
		for i := range noise {
			noise[i] = byte(i*7 + 3)
		}
		err = conn.Invoke(short, method, wrapperspb.Bytes(noise), new(emptypb.Empty), grpc.MaxCallSendMsgSize(2*size+1024))
		return err != nil, nil
	}
}
