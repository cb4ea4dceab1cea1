//nolint:testableexamples // they need a cluster to run and are compiled here
package client_test

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/candor-plane/candor/client"
)

// A session that is saved lets the next process read what this one wrote, from
// any node.
func ExampleSession() {
	session := client.NewSession()
	if saved, err := os.ReadFile("session.json"); err == nil {
		if err := json.Unmarshal(saved, session); err != nil {
			fmt.Println(err)
			return
		}
	}
	c, err := client.New(client.Config{Endpoints: []string{"127.0.0.1:7001"}, Session: session})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	// … reads and writes …

	data, err := json.Marshal(c.Session())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile("session.json", data, 0o600); err != nil {
		fmt.Println(err)
		return
	}
}
