package history

// Standard are all checkers of this package but [Load], each of which must have
// checked least items to say PASS: for runs that mix all classes of reads with
// writes. A run that has no BOUNDED reads, say, names its checkers one by one.
func Standard(least int) []Checker {
	checkers := append(Linearizable(least),
		AskedBound{Least: least}, ClaimedBound{Least: least}, Contract{Least: least}, NodeForward{Least: least})
	for _, g := range Guarantees {
		checkers = append(checkers, Session{Guarantee: g, Least: least})
	}
	return checkers
}

// Linearizable are the checkers that together say so, with tokens and without.
func Linearizable(least int) []Checker {
	return []Checker{Replay{Least: least}, Turns{Least: least}, RealTime{Least: least}, Registers{Least: least}}
}
