package history_test

import (
	"fmt"
	"strings"

	"github.com/candor-plane/candor/verify/history"
)

// A history of any system, as a file: a strong read of an old leader misses what
// the new one has acknowledged.
func ExampleRead() {
	h, err := history.Read(strings.NewReader(`{"format":"candor-history/1","source":"an example"}
{"client":"ann","kind":"PUT","items":[{"key":"k","value":"1"}],"outcome":"OK","invoke":0,"return":5000000,"token":{"term":1,"index":7,"revision":2}}
{"client":"ann","kind":"PUT","items":[{"key":"k","value":"2"}],"outcome":"OK","invoke":6000000,"return":9000000,"token":{"term":2,"index":9,"revision":3}}
{"client":"bob","kind":"GET","items":[{"key":"k","value":"1","version":2}],"outcome":"OK","invoke":10000000,"return":11000000,"token":{"term":1,"index":7,"revision":2}}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	summary := history.Check(h, history.Replay{Least: 1}, history.RealTime{Least: 3})
	fmt.Println(summary.Verdict())
	fmt.Println(summary.Reports[1].Violation.Sentence)
	for _, o := range summary.Reports[1].Violation.Operations {
		fmt.Println(&o)
	}
	// Output:
	// VIOLATION
	// GET at revision 2 began after PUT at revision 3 had returned; want revision 3 at least
	// [6ms..9ms] ann: PUT k=2: OK at 2:9/3
	// [10ms..11ms] bob: GET STRONG k=1@2: OK at 1:7/2
}
