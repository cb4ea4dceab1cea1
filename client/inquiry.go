package client

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// inquiry carries out a read whose request keeps its terms at *read.
func (c *Client) inquiry(ctx context.Context, method string, in proto.Message, terms **candorv1.ReadOptions, out answer, options []ReadOption) (*candor.Witness, error) {
	var r read
	sent, err := c.prepare(&r, options)
	if err != nil {
		return nil, err
	}
	*terms = sent
	return c.carry(ctx, &r, method, in, out)
}
