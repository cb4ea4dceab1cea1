// Package tenure is the right to act: who may perform a duty of the coordinator,
// in which era, and how that right passes from one holder to the next.
//
// It is a pure function, [Lineage.Apply], from a duty's lineage, the turn's
// cluster time and an event to the next lineage. Of every sequence of events it
// guarantees
//
//   - primacy: at most one era of a duty is active, and only its holder acts;
//   - inheritance: an era cites the seal of the one before it and starts at or
//     above every value that one may have used;
//   - silence: [Lineage.Fence] lets nothing of a sealed era pass;
//   - finality: an era is sealed, confirmed and closed in that order, once, and
//     older eras before younger ones.
//
// The functions of the same names check each from the outside, on a lineage
// before and after. What is refused leaves the lineage as it was; an event that
// was done already is answered as it was the first time.
//
// Time is cluster time, in nanoseconds, and comes with the turn. That an era has
// expired lets others take it and nothing else: until somebody seals it, its
// holder may renew it and its writes pass the fence. Whether the sender of an
// event is the holder that it names is for the caller to check.
//
// fsm applies events in turns, coordinators evaluate a view by the same functions,
// verifiers explore them. Nothing here is modified once it is returned: lineages
// may be shared among goroutines.
package tenure
