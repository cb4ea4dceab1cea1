package gossip

import (
	"bytes"
	"slices"
)

// drop takes a key that is not the primary from the library's ring.
//
// memberlist hands its array of keys to readers that walk it without a lock, and
// RemoveKey closes the gap in that same array: a reader could miss a key, or take
// one key's address with another's length. With the key at the end there is no
// gap to close. UseKey makes a new array with its key in front, so every key that
// stands behind is used once and the primary last. Meanwhile a message may be
// sent with such a key; a rotation that holds two keys never gets there.
func (k *Keyring) drop(key []byte) error {
	keys := k.library.GetKeys()
	i := slices.IndexFunc(keys, func(held []byte) bool { return bytes.Equal(held, key) })
	if behind := keys[i+1:]; len(behind) > 0 {
		for _, other := range append(slices.Clone(behind), keys[0]) {
			if err := k.library.UseKey(other); err != nil {
				return err
			}
		}
	}
	return k.library.RemoveKey(key)
}
