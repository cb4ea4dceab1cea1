package informer

import "slices"

// index moves an object's entries from one version to the next; either may be nil.
func (s *Store) index(before, after *Item) {
	for _, uid := range ownersOf(before) {
		if !slices.Contains(ownersOf(after), uid) {
			s.owned.Delete(entry{by: uid, item: before})
		}
	}
	for _, uid := range ownersOf(after) {
		s.owned.Set(entry{by: uid, item: after}) // in place of the version before
	}
	for label, values := range s.labels {
		was, had := valueOf(before, label)
		is, has := valueOf(after, label)
		if had && (!has || was != is) {
			values.Delete(entry{by: was, item: before})
		}
		if has {
			values.Set(entry{by: is, item: after})
		}
	}
}

func valueOf(item *Item, label Label) (value string, has bool) {
	if item == nil || item.kind != label.Kind {
		return "", false
	}
	value, has = item.Metadata.Labels[label.Key]
	return value, has
}

func ownersOf(item *Item) []string {
	if item == nil || len(item.Metadata.Owners) == 0 {
		return nil
	}
	uids := make([]string, len(item.Metadata.Owners))
	for i := range uids {
		uids[i] = item.Metadata.Owners[i].UID
	}
	return uids
}
