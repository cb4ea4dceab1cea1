// Package freshness is the contract of every read as pure functions: Decide
// says what a node may answer, Assess in what condition a node is, and Verify
// whether an answer keeps the contract. It reads no clock, waits for nothing
// and knows no transport.
//
// It guarantees that a class is served as asked or refused with the reason,
// never weakened; that what is not proven counts as absent; and that server and
// client judge by the same rules, since there is one copy of them. It refuses
// to guess. Package server/read decides by it, client checks answers by it; all
// of it may be called concurrently. The rules are docs/protocol.md, sections 3,
// 5 and 6; testdata holds them as tables, printed by their tests.
package freshness
