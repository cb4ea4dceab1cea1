package sim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// mistake is one that tests make in the models, to see it caught; 0 is none.
type mistake uint8

const (
	// skipsAnEntry: one replica passes over what an entry says.
	skipsAnEntry mistake = iota + 1
	// forgetsRequests: a snapshot leaves out one kind of record.
	forgetsRequests
	forgetsLeases
	// takesUnknownForDone: a client takes no answer for an acknowledgement.
	takesUnknownForDone
	// repeatsWithoutID: a client repeats a write as a new one.
	repeatsWithoutID
	// readsUnconfirmed: any server answers a STRONG read, as its view stands.
	readsUnconfirmed
	// writesUnfenced: a controller's writes do not name its era.
	writesUnfenced
	// believesForEver: the holder of tso goes on after its belief has ended.
	believesForEver
	// takesUnreserved: an allocator hands out before its bound is durable.
	takesUnreserved
	// actsAfterSealing: an allocator goes on until the seal is acknowledged.
	actsAfterSealing
	// losesAnEvent: a watch that resumes leaves out what its last revision left.
	losesAnEvent
	// stampsByWallClock: a leader gives its wall clock for cluster time.
	stampsByWallClock
)

// skipped is the entry that skipsAnEntry is about.
const skipped = 25

// spoil makes the mistake of one replica.
func (s *server) spoil(batch []fsm.Committed) {
	if s.w.mistake != skipsAnEntry || s.id != 1 {
		return
	}
	for i := range batch {
		if batch[i].Index == skipped && !batch[i].Configuration {
			batch[i].Data = command.AppendEntry(nil, command.Entry{Term: batch[i].Term})
		}
	}
}

// restore takes a snapshot, which may have been written wrongly.
func (s *server) restore(snapshot []byte) error {
	omits := map[mistake]byte{forgetsRequests: 'q', forgetsLeases: 'l'}[s.w.mistake]
	if omits == 0 {
		return s.m.Restore(bytes.NewReader(snapshot))
	}
	blocks, err := fsm.ReadBlocks(bytes.NewReader(snapshot))
	if err != nil {
		return err
	}
	defer blocks.Close()
	return s.m.RestoreBlocks(&omitting{blocks: blocks, kind: omits})
}

// omitting leaves out records of one kind; a snapshot of the simulator's size is one
// block.
type omitting struct {
	blocks *fsm.Blocks
	kind   byte
}

// Next is the next block.
func (o *omitting) Next() ([]byte, error) {
	block, err := o.blocks.Next()
	if err != nil {
		return nil, err
	}
	var kept []byte
	for rest := block; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		if n <= 0 || uint64(len(rest)) < 1+uint64(n)+size {
			return nil, errors.Join(io.ErrUnexpectedEOF, errors.New("a record goes on in the next block"))
		}
		record := rest[:1+uint64(n)+size]
		rest = rest[len(record):]
		if record[0] != o.kind {
			kept = append(kept, record...)
		}
	}
	return kept, nil
}
