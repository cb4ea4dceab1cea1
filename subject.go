package candor

// What is explained and is no object is named as if it were one of these kinds.
const (
	// SubjectMembers are the servers of the cluster, by name or ID.
	SubjectMembers KindName = "members"
	// SubjectRequests are the writes of the actor who asks, by request ID.
	SubjectRequests KindName = "requests"
)
