package lifecycle

import "slices"

// The states of an object.
const (
	Live State = "LIVE"
	// Terminating: deleted, and held by finalizers or by what it contains.
	Terminating State = "TERMINATING"
	// Foreground: terminating until the dependents are gone that block it.
	Foreground State = "FOREGROUND"
)

// The states of access control.
const (
	Off State = "OFF"
	On  State = "ON"
)

// The states of a token.
const (
	Issued State = "ISSUED"
	// Joins lets one server join; Spent has let one.
	Joins State = "JOINS"
	Spent State = "SPENT"
)

func object() Lifecycle {
	l := Lifecycle{
		Name: Object, Of: "an object of any kind, by its versions", Start: Absent,
		States: []State{Absent, Live, Terminating, Foreground, Gone},
		Steps: []Declared{
			{Absent, Live, "create", "it was made"},
			{Gone, Live, "create", "one of the name of an object that is gone was made"},
			{Live, Gone, "delete", "it was deleted, and nothing held it"},
			{Live, Terminating, "delete", "it was deleted, and finalizers or contents hold it"},
			{Live, Foreground, "delete", "it was deleted in the foreground, and has dependents"},
			{Terminating, Gone, "release", "the last that held it is gone"},
			{Foreground, Gone, "release", "its dependents are gone"},
			{Foreground, Terminating, "release", "its dependents are gone, and another finalizer holds it"},
		},
	}
	for _, s := range []State{Live, Terminating, Foreground} {
		l.Steps = slices.Concat(l.Steps, []Declared{
			{s, s, "spec", "its spec changed"},
			{s, s, "status", "its reconciled status changed"},
			{s, s, "observe", "what is observed of it changed"},
			{s, s, "metadata", "its labels, annotations, owners or finalizers changed"},
		})
	}
	return l
}

func access() Lifecycle {
	return Lifecycle{
		Name: Access, Of: "access control of the cluster", Start: Off,
		States: []State{Off, On},
		Steps: []Declared{
			{Off, On, "open", "access control was turned on, for good"},
			{On, On, "open", "an operator opened it again, to get back in"},
		},
	}
}

func tokens() Lifecycle {
	return Lifecycle{
		Name: Token, Of: "a bearer token, by its object", Start: Absent,
		States: []State{Absent, Issued, Joins, Spent, Gone},
		Steps: []Declared{
			{Absent, Issued, "create", "somebody may present it"},
			{Absent, Joins, "create", "one server may join with it"},
			{Joins, Spent, "spend", "a server joins with it, and no other can"},
			{Issued, Gone, "revoke", "it was revoked, or cleared away after it expired"},
			{Joins, Gone, "revoke", "it was revoked before a server joined with it, or expired"},
			{Spent, Gone, "clear", "it was cleared away after the join"},
		},
	}
}
