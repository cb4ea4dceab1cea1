package replica

import (
	"io"
	"sync"

	"github.com/candor-plane/candor/fsm"
)

// blocksAhead is how many blocks of a snapshot wait for the state machine.
const blocksAhead = 8

// readAhead reads and decompresses a snapshot on a goroutine of its own while
// the state machine builds what it read before: each takes about half of the
// time. Close ends the goroutine and waits for it; the stream stays the
// caller's.
type readAhead struct {
	blocks  chan readBlock
	stop    chan struct{}
	reading sync.WaitGroup
	ended   error
}

type readBlock struct {
	data []byte
	err  error
}

var _ fsm.BlockSource = (*readAhead)(nil)

func newReadAhead(stream io.Reader) (*readAhead, error) {
	blocks, err := fsm.ReadBlocks(stream)
	if err != nil {
		return nil, err
	}
	a := &readAhead{blocks: make(chan readBlock, blocksAhead), stop: make(chan struct{})}
	a.reading.Go(func() {
		defer blocks.Close()
		a.read(blocks)
	})
	return a, nil
}

func (a *readAhead) read(blocks *fsm.Blocks) {
	for {
		data, err := blocks.Next()
		select {
		case a.blocks <- readBlock{data, err}:
		case <-a.stop:
			return
		}
		if err != nil {
			return
		}
	}
}

// Next yields the next block, or for ever the error that ended the reading.
func (a *readAhead) Next() ([]byte, error) {
	if a.ended != nil {
		return nil, a.ended
	}
	block := <-a.blocks
	a.ended = block.err
	return block.data, block.err
}

func (a *readAhead) close() {
	close(a.stop)
	a.reading.Wait()
}
