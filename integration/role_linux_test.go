package integration

import (
	"fmt"
	"os"
)

// roleVariable makes this test's binary play another part than running tests:
// those of a child that prepares something no other program can be relied on to
// prepare.
const roleVariable = "CANDOR_INTEGRATION_ROLE"

func playRole() (code int, played bool) {
	role := os.Getenv(roleVariable)
	var err error
	switch role {
	case "":
		return 0, false
	case roleSweeping:
		err = sweep(os.Args[1:])
	case roleFlooding:
		err = playFlood(os.Args[1:])
	default:
		err = fmt.Errorf("no such role: %q", role)
	}
	if err != nil {
		fmt.Println(err)
		return 1, true
	}
	return 0, true
}
