package client_test

import (
	"encoding/json"
	"log"
	"os"

	"github.com/candor-plane/candor/client"
)

// A session that is saved lets the next process read what this one wrote, from
// any node.
func ExampleSession() {
	session := client.NewSession()
	if saved, err := os.ReadFile("session.json"); err == nil {
		if err := json.Unmarshal(saved, session); err != nil {
			log.Fatal(err)
		}
	}
	c, err := client.New(client.Config{Endpoints: []string{"127.0.0.1:7001"}, Session: session})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	// … reads and writes …

	data, err := json.Marshal(c.Session())
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile("session.json", data, 0o600); err != nil {
		log.Fatal(err)
	}
}
