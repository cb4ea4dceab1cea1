package disk

import (
	"bytes"
	"os"

	"github.com/candor-plane/candor"
	"github.com/candor-plane/candor/drill/scenario"
)

// Do damages what a server has in its directory, as a scenario calls it. The server must
// not run. noticed says whether one that serves on it since has seen the damage.
func Do(data, what string) (noticed func() (bool, error), err error) {
	never := func() (bool, error) { return false, nil }
	switch what {
	case scenario.DamageTail:
		torn, err := Tear(data)
		if err != nil {
			return never, err
		}
		return torn.Removed, nil
	case scenario.DamageLog:
		path, err := Newest(data, Segments)
		if err != nil {
			return never, err
		}
		// Where entries are, and not in the last write, of which a crash may leave a part.
		return never, Mangle(path, func(b []byte) []byte { return FlipBit(b, len(bytes.TrimRight(b, "\x00"))/2) })
	case scenario.DamageSnapshot:
		path, err := Newest(data, Snapshots)
		if err != nil {
			return never, err
		}
		aside := func() (bool, error) {
			_, err := os.Stat(path + ".damaged")
			return err == nil, nil
		}
		return aside, Mangle(path, func(b []byte) []byte { return FlipBit(b, len(b)/2) })
	}
	return never, candor.Errorf(candor.ReasonInvalid, "damage %q: want one of %v", what, scenario.Damages)
}
