package command_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/fsm"
	"github.com/candor-plane/candor/fsm/command"
)

// seal gives an entry's body the checksum that fits it.
func seal(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(body), crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
}

func TestADamagedEntryIsRefused(t *testing.T) {
	var commands [][]byte
	for _, s := range samples() {
		commands = append(commands, command.AppendCommand(nil, &s.command))
	}
	good := command.AppendEntry(nil, entryOf(commands...))
	refused := func(what string, at int, data []byte) {
		if err := command.CheckEntry(data); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
			t.Fatalf("%s %d: checked: %v", what, at, err)
		}
		if _, err := command.DecodeEntry(data); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
			t.Fatalf("%s %d: decoded: %v", what, at, err)
		}
	}
	for i := range good {
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			refused("flipped bit of byte", i, bad)
		}
		refused("cut at", i, good[:i])
		refused("zeroed from", i, append(bytes.Clone(good[:i]), make([]byte, len(good)-i)...))
	}
	refused("bytes more:", 1, append(bytes.Clone(good), 0))
	refused("entries at once:", 2, append(bytes.Clone(good), good...))
}

// An entry that somebody built wrong has the right checksum and is refused all
// the same.
func TestAnEntryThatWasBuiltWrongIsRefused(t *testing.T) {
	huge := binary.AppendUvarint(nil, 1<<63)
	overlong := bytes.Repeat([]byte{0xff}, 11)
	for name, body := range map[string][]byte{
		"nothing after the format":   {1},
		"stamps cut":                 {1, 7, 0x80},
		"number longer than 64 bits": append([]byte{1}, overlong...),
		"more commands than bytes":   {1, 7, 0, 0, 3, 1, 'a'},
		"commands without end":       append([]byte{1, 7, 0, 0}, huge...),
		"command longer than entry":  {1, 7, 0, 0, 1, 9, 'a'},
		"command without end":        append([]byte{1, 7, 0, 0, 1}, huge...),
		"bytes after the commands":   {1, 7, 0, 0, 1, 1, 'a', 'b'},
	} {
		if e, err := command.DecodeEntry(seal(body)); candor.ReasonOf(err) != candor.ReasonDataCorrupt {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
}

// A newer build's entry is told apart from a damaged one: what helps is a newer
// build, and not a repair.
func TestAnEntryOfANewerFormatAsksForANewerBuild(t *testing.T) {
	good := command.AppendEntry(nil, entryOf())
	newer := bytes.Clone(good[:len(good)-4])
	newer[0]++
	if _, err := command.DecodeEntry(seal(newer)); candor.ReasonOf(err) != candor.ReasonFeatureLevel {
		t.Errorf("a newer format: %v", err)
	}
}

// Inside an entry its checksum guards a command. Should a damaged command pass
// it, the command is refused, or the turn decides: neither panics for anything
// but the reasons with which a server stops, nor fails.
func TestADamagedCommandIsRefusedOrDecidedByTheTurn(t *testing.T) {
	outcomes := map[candor.Reason]int{}
	for _, s := range slices.Concat(samples(), plainWrites(), items()) {
		good := command.AppendCommand(nil, &s.command)
		step := 1
		if testing.Short() {
			step = 5
		}
		for i := 0; i < len(good); i += step {
			outcomes[put(t, good[:i])]++
			for _, mask := range []byte{0x01, 0x08, 0x80, 0xff} {
				bad := bytes.Clone(good)
				bad[i] ^= mask
				outcomes[put(t, bad)]++
			}
		}
	}
	// The sweep is worth something if it came everywhere.
	for _, reason := range []candor.Reason{candor.ReasonDataCorrupt, candor.ReasonFeatureLevel, candor.ReasonInvalid, candor.ReasonNotFound, ""} {
		if outcomes[reason] == 0 {
			t.Errorf("no damage ended with %q: %v", reason, outcomes)
		}
	}
}

// plainWrites are writes that the turn accepts on the state of machine.
func plainWrites() []sample {
	object := func(name string) *candor.Object {
		return &candor.Object{APIVersion: "test/v1", Kind: "Widget", Spec: []byte(`{}`), Metadata: candor.Metadata{Namespace: "default", Name: name, UID: "uid-" + name}}
	}
	write := func(name string, op command.Operation) sample {
		op.Kind = widgets
		return sample{name, command.Command{Type: command.TypeWrite, Actor: "ana", Then: []command.Operation{op}}}
	}
	changed := object("a")
	changed.Spec = []byte(`{"n":2}`)
	return []sample{
		write("create", command.Operation{Verb: command.VerbCreate, KindRevision: 2, Object: object("b")}),
		write("update", command.Operation{Verb: command.VerbUpdate, KindRevision: 2, Object: changed}),
		write("observe", command.Operation{Verb: command.VerbObserve, KindRevision: 2, Namespace: "default", Name: "a", Payload: []byte(`{}`)}),
		write("delete", command.Operation{Verb: command.VerbDelete, Namespace: "default", Name: "a"}),
		write("get", command.Operation{Verb: command.VerbGet, Namespace: "default", Name: "a"}),
	}
}

// machine has the kind widgets, of revision 2, and one object of it.
func machine(t testing.TB) *fsm.Machine {
	m := fsm.New(fsm.Config{ClusterID: "c1"})
	kind := &candor.Object{APIVersion: candor.APIVersion, Kind: "Kind", Spec: []byte(`{}`), Metadata: candor.Metadata{Name: string(widgets), UID: "uid-kind"}}
	a := &candor.Object{APIVersion: "test/v1", Kind: "Widget", Spec: []byte(`{}`), Metadata: candor.Metadata{Namespace: "default", Name: "a", UID: "uid-a"}}
	for i, c := range []*command.Command{
		command.LeaderStart(7, "s1"),
		{Type: command.TypeWrite, Actor: "ana", Then: []command.Operation{{Verb: command.VerbCreate, Kind: candor.KindKinds, KindRevision: 1, Object: kind}}},
		{Type: command.TypeWrite, Actor: "ana", Then: []command.Operation{{Verb: command.VerbCreate, Kind: widgets, KindRevision: 2, Object: a}}},
	} {
		e := entryOf(command.AppendCommand(nil, c))
		out := m.Apply([]fsm.Committed{{Term: 7, Index: uint64(i + 1), Data: command.AppendEntry(nil, e)}})
		if err := out[0].Results[0].Err(); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// put applies an entry with the bytes as its command and returns how that
// ended: with the turn's reason, or with the one for which a server stops.
func put(t testing.TB, data []byte) (reason candor.Reason) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		err, _ := p.(error)
		var e *candor.Error
		if !errors.As(err, &e) || e.Reason != candor.ReasonDataCorrupt && e.Reason != candor.ReasonFeatureLevel {
			t.Fatalf("command %x: panic: %v", data, p)
		}
		reason = e.Reason
	}()
	m := machine(t)
	res := m.Apply([]fsm.Committed{{Term: 7, Index: 9, Data: command.AppendEntry(nil, entryOf(data))}})[0].Results[0]
	if !res.Reason.Known() && res.Reason != "" || res.Reason == candor.ReasonTurnFault || res.Reason == candor.ReasonInternal {
		t.Fatalf("command %x: %s %s", data, res.Reason, res.Message)
	}
	return res.Reason
}
