// Package bundle is the format of debug bundles: one zip archive of what could be had of a
// cluster at one time, for people who were not there.
//
//	manifest.json                  Manifest: whose it is, what is in it, what is not and why
//	cluster/*.json                 what one node said of the whole
//	nodes/NAME/*.json, *.txt       what each node said of itself
//	nodes/NAME/log.json            replay.Origin: the log and the snapshots that it holds
//	nodes/NAME/log.jsonl           entries, a replay.Entry a line, data in base64
//	nodes/NAME/snapshot-ID.bin     a snapshot, as "candor snapshot save" writes it
//
// The last three are there only where data were asked for. Every part is listed in the
// manifest with its size and SHA-256; what could not be had is a gap there, and never just
// missing. Read refuses what it does not know: another format, or a part that is not what
// was written.
package bundle
