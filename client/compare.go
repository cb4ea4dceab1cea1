package client

import (
	"github.com/candor-plane/candor"
	candorv1 "github.com/candor-plane/candor/rpc/candor/v1"
)

// Compare is a condition on the state that a transaction's turn meets.
type Compare struct{ message *candorv1.Compare }

// IfExists holds when there is an object at ref.
func IfExists(ref candor.Ref) Compare {
	m := compared(ref)
	m.Condition = &candorv1.Compare_Exists{Exists: true}
	return Compare{message: m}
}

// IfAbsent holds when there is none.
func IfAbsent(ref candor.Ref) Compare {
	m := compared(ref)
	m.Condition = &candorv1.Compare_Exists{Exists: false}
	return Compare{message: m}
}

// IfVersion holds when the object at ref is at resourceVersion.
func IfVersion(ref candor.Ref, resourceVersion uint64) Compare {
	m := compared(ref)
	m.Condition = &candorv1.Compare_ResourceVersion{ResourceVersion: resourceVersion}
	return Compare{message: m}
}

// IfGeneration holds when the object's spec is at this generation.
func IfGeneration(ref candor.Ref, generation uint64) Compare {
	m := compared(ref)
	m.Condition = &candorv1.Compare_Generation{Generation: generation}
	return Compare{message: m}
}

// IfUID holds when the object at ref is the one with this uid.
func IfUID(ref candor.Ref, uid string) Compare {
	m := compared(ref)
	m.Condition = &candorv1.Compare_Uid{Uid: uid}
	return Compare{message: m}
}

// IfRootRevision holds when nothing at all changed since revision.
func IfRootRevision(revision uint64) Compare {
	m := compared(candor.Ref{})
	m.Condition = &candorv1.Compare_RootRevision{RootRevision: revision}
	return Compare{message: m}
}

func compared(ref candor.Ref) *candorv1.Compare {
	return &candorv1.Compare{Kind: string(ref.Kind), Namespace: ref.Namespace, Name: ref.Name}
}
