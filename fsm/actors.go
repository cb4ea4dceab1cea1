package fsm

// actorNames numbers the names of those whose requests are remembered, and
// keeps one copy of each for as long as a record needs it.
type actorNames struct {
	names   []string
	uses    []uint32
	numbers map[string]uint32
	free    []uint32
}

func newActorNames() *actorNames { return &actorNames{numbers: map[string]uint32{}} }

func (a *actorNames) name(number uint32) string { return a.names[number] }

// hold returns the name's number; release it as often.
func (a *actorNames) hold(name string) uint32 {
	number, ok := a.numbers[name]
	switch {
	case ok:
	case len(a.free) > 0:
		number = a.free[len(a.free)-1]
		a.free = a.free[:len(a.free)-1]
	default:
		number = uint32(len(a.names))
		a.names, a.uses = append(a.names, ""), append(a.uses, 0)
	}
	if !ok {
		name = clone(name)
		a.names[number], a.numbers[name] = name, number
	}
	a.uses[number]++
	return number
}

func (a *actorNames) release(number uint32) {
	if a.uses[number]--; a.uses[number] > 0 {
		return
	}
	delete(a.numbers, a.names[number])
	a.names[number] = ""
	a.free = append(a.free, number)
}
