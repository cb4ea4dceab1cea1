package candor

import (
	"context"

	"github.com/candor-plane/candor/bench/system"
)

func (c *conn) Allocate(ctx context.Context, what system.Numbers, count uint64) error {
	take := c.client.AllocIDs
	if what == system.Timestamps {
		take = c.client.Timestamps
	}
	_, err := take(ctx, count)
	return err
}
