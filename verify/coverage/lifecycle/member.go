package lifecycle

// The states of a server in the configuration.
const (
	NonVoter State = "NON_VOTER"
	Voter    State = "VOTER"
	Removed  State = "REMOVED"
)

// The states of a member as to leadership.
const (
	Follows State = "FOLLOWS"
	Leads   State = "LEADS"
)

func member() Lifecycle {
	return Lifecycle{
		Name: Member, Of: "a server, by the configuration entries", Start: Absent,
		States: []State{Absent, NonVoter, Voter, Removed},
		Steps: []Declared{
			{Absent, Voter, "form", "it is one of those that a cluster, or a new history, begins with"},
			{Absent, NonVoter, "add", "it joined without a vote"},
			{NonVoter, Voter, "promote", "it has caught up and got its vote"},
			{NonVoter, NonVoter, "move", "it joined again from another address"},
			{Voter, Voter, "move", "it joined again from another address"},
			{NonVoter, Removed, "remove", "it was taken out before it had a vote"},
			{Voter, Removed, "remove", "it was taken out"},
			{Removed, NonVoter, "add", "one that was taken out joined again"},
		},
	}
}

func leadership() Lifecycle {
	return Lifecycle{
		Name: Leadership, Of: "a member, by the first commands of leaders", Start: Follows,
		States: []State{Follows, Leads, Removed},
		Steps: []Declared{
			{Follows, Leads, "elect", "it won an election"},
			{Follows, Leads, "transfer", "leadership was handed to it as a transition asked"},
			{Leads, Leads, "elect", "it won again, in a later term"},
			{Leads, Follows, "depose", "another leads a later term"},
			{Leads, Removed, "depose", "another leads a later term, and it is no member any more"},
		},
	}
}
