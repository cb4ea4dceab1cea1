// Package allocator hands out numbers under a tenure: IDs, and timestamps that rise
// across crashes and handovers (docs/protocol.md, section 7).
//
// It guarantees that no number is handed out before a bound at or above it is
// reserved, durably and under the tenure's era, and none twice. A reservation whose
// outcome is unknown counts as refused: nothing above the last known bound leaves. A
// successor that begins at the sealed usage, or at the whole bound after a crash, can
// therefore repeat nothing. Timestamps are answered only while the holder may believe
// in its tenure.
//
// The coordinator makes one allocator per era, and closes it before it seals. Window
// is the pure part, which the explorer drives too. DESIGN.md argues the rest.
package allocator
