package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/candor-plane/candor/bench/process"
	"github.com/candor-plane/candor/bench/system"
)

const (
	dialTimeout  = 5 * time.Second
	askTimeout   = 500 * time.Millisecond
	pollInterval = 10 * time.Millisecond
)

type cluster struct {
	group       *process.Group
	addresses   []string
	credentials credentials
	valueBytes  int
}

func (c *cluster) Processes() *process.Group { return c.group }

func (c *cluster) Address(member int) string { return c.addresses[member] }

func (c *cluster) Close() error { return c.group.Close() }

// Leader asks every member whom it follows.
func (c *cluster) Leader(ctx context.Context) (int, error) {
	for {
		if member, ok := c.askLeader(ctx); ok {
			return member, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("find etcd leader: %w", errors.Join(ctx.Err(), c.group.Err()))
		case <-time.After(pollInterval):
		}
	}
}

func (c *cluster) Dial(ctx context.Context, members ...int) (system.Conn, error) {
	endpoints := make([]string, len(members))
	for i, member := range members {
		endpoints[i] = c.addresses[member]
	}
	client, err := c.dial(loadUser, endpoints)
	if err != nil {
		return nil, err
	}
	conn := &conn{client: client, valueBytes: c.valueBytes}
	// The client connects in the background; a first answer proves it did.
	if err := conn.awaitAnswer(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// awaitServing returns once there is a leader and every member answers a local
// read, and in a secured cluster refuses those that no role allows; a member that ended at its start is an error at once.
func (c *cluster) awaitServing(ctx context.Context) error {
	for led := false; !led; {
		if err := c.group.Err(); err != nil {
			return err
		}
		_, led = c.askLeader(ctx)
		select {
		case <-ctx.Done():
			return fmt.Errorf("await a first leader: %w", ctx.Err())
		case <-time.After(pollInterval):
		}
	}
	if c.credentials.secured() {
		if err := c.grant(ctx); err != nil {
			return errors.Join(err, c.group.Err())
		}
	}
	for member := range c.addresses {
		if c.credentials.secured() {
			if err := c.awaitGranted(ctx, member); err != nil {
				return err
			}
		}
		conn, err := c.Dial(ctx, member)
		if err != nil {
			return errors.Join(err, c.group.Err())
		}
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}

// askLeader asks all members at once and counts who names whom.
func (c *cluster) askLeader(ctx context.Context) (int, bool) {
	type opinion struct {
		member     int
		id, leader uint64
	}
	opinions := make(chan opinion, len(c.addresses))
	for member := range c.addresses {
		go func() {
			o := opinion{member: member}
			o.id, o.leader = c.ask(ctx, member)
			opinions <- o
		}()
	}
	votes, place := map[uint64]int{}, map[uint64]int{}
	for range c.addresses {
		o := <-opinions
		if o.id != 0 {
			place[o.id] = o.member
		}
		if o.leader != 0 {
			votes[o.leader]++
		}
	}
	for leader, n := range votes {
		member, alive := place[leader]
		if alive && n > len(c.addresses)/2 {
			return member, true
		}
	}
	return 0, false
}

// ask answers zeroes for a member that cannot be reached.
func (c *cluster) ask(ctx context.Context, member int) (id, leader uint64) {
	if c.group.Member(member).Err() != nil {
		return 0, 0
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	client, err := c.dial(loadUser, c.addresses[member:member+1])
	if err != nil {
		return 0, 0
	}
	defer client.Close()
	status, err := client.Status(ctx, c.addresses[member])
	if err != nil {
		return 0, 0
	}
	return status.Header.MemberId, status.Leader
}

// dial makes a client that is user in a secured cluster, and nobody in a plain one.
func (c *cluster) dial(user string, endpoints []string) (*clientv3.Client, error) {
	client, err := clientv3.New(clientv3.Config{
		Endpoints:   endpoints,
		DialTimeout: dialTimeout,
		Logger:      zap.NewNop(),
		TLS:         c.credentials.clients[user],
	})
	if err != nil {
		return nil, fmt.Errorf("dial etcd at %v: %w", endpoints, err)
	}
	return client, nil
}
