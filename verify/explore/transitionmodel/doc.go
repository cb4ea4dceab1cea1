// Package transitionmodel is a cluster whose members change, for the explorer:
// operators plan and cancel changes, one executor after another carries them out and
// crashes at any step, leaders and eras change under it, commands and answers are lost,
// repeated and late, servers fall silent and come back, and newcomers lag.
//
// What decides is production's own: the executor of coordinator/topology runs as it is,
// a round at a time, against recorded answers; what the root makes of its events and of
// configuration entries are the functions of fsm/transition, through [Rules]. The
// model adds the turns around them, the network, Raft's configuration entries with their
// prevIndex, and promises seen from outside: an event ends the transition that it is
// about, a plan begins at most one, an end says what the members show, no step costs
// the quorum of those who answered, and the guarantees of package transition.
//
// Servers keep their names, for executors choose by name. Revisions count by their
// order alone, and configurations by whether they are the newest.
package transitionmodel
