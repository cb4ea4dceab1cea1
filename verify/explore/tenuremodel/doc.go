// Package tenuremodel is a cluster's worth of holders around one duty, for the
// explorer: they campaign, reserve, use, write, seal, confirm, close, release and
// reattach, crash and come back, while their commands are lost, repeated and late,
// answers are lost, leaders change and clocks stand still.
//
// What decides is fsm/tenure itself, through [Rules]: Apply, Fence, Free, Pending
// and Belief. The model adds the processes, the network between them and the root,
// and promises seen from outside: no value is handed out twice, timestamps rise, no
// write of an era is accepted after it ended, and no client takes an answer of an
// older era than it has seen. A step that breaks one is refused by no rule here; it
// is reported.
//
// Times and terms count by their distance alone and holders are alike, so that a
// state stands for all that differ in nothing else; time itself has no bound.
package tenuremodel
