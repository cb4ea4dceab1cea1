package durability

import (
	"fmt"
	"maps"
	"slices"

	"github.com/candor-plane/candor/verify/history"
)

// phantoms checks that every version of a key that clients wrote is one that somebody
// wrote: an acknowledged write at its revision, or one of unknown outcome, each of which
// explains one version at most. So a write that was carried out twice is found too.
// What was there before the first recorded write, and what is going, is left out.
func (x *index) phantoms(least int) history.Report {
	r := history.Report{Property: "nothing is there that nobody wrote, and nothing twice"}
	for i := range x.Versions {
		v := &x.Versions[i]
		w := x.keys[v.Key]
		switch {
		case len(w.made) == 0:
			continue
		case w.going:
			r.Leave("objects that change and vanish without a recorded write")
			continue
		}
		used := map[string][]*history.Version{}
		for j := range v.Versions {
			one := &v.Versions[j]
			if one.Revision < w.made[0].revision {
				continue
			}
			if one.Object != nil && one.Value == "" {
				r.Leave("versions of objects that others write too, kept whole")
				continue
			}
			r.Checked++
			if w.at(one.Revision) == nil {
				w.explain(&r, v, one, used)
			}
		}
	}
	for i := range x.finals {
		x.unwritten(&r, &x.finals[i])
	}
	return r.Conclude(least)
}

// explain finds a write of unknown outcome for a version that none acknowledged made.
func (w *written) explain(r *history.Report, v *history.Versions, one *history.Version, used map[string][]*history.Version) {
	what := "=" + one.Value
	if one.Deleted {
		what = ""
	}
	may := 0
	for i := range w.unknown {
		if c := w.unknown[i].item; c.Absent == one.Deleted && (c.Absent || c.Value == one.Value) {
			may++
		}
	}
	used[what] = append(used[what], one)
	if len(used[what]) <= may {
		return
	}
	exhibits := []history.Exhibit{}
	for _, version := range used[what] {
		exhibits = append(exhibits, exhibit(v, version))
	}
	r.Break(func() string {
		return fmt.Sprintf("revision %d of %s was made by no acknowledged write; %d of unknown outcome may have made one like it, and there are %d", one.Revision, w.key, may, len(used[what]))
	}, w.writers(one), exhibits...)
}

// writers are the operations that meant to make such a version.
func (w *written) writers(one *history.Version) []*history.Operation {
	var found []*history.Operation
	for _, list := range [][]change{w.made, w.unknown, w.failed} {
		for i := range list {
			if c := &list[i]; !one.Deleted && c.item.Value != "" && c.item.Value == one.Value && len(found) < 3 {
				found = append(found, c.operation)
			}
		}
	}
	return found
}

// unwritten looks in a list for what nobody wrote.
func (x *index) unwritten(r *history.Report, f *final) {
	for _, key := range slices.Sorted(maps.Keys(f.items)) {
		item, w := f.items[key], x.keys[key]
		if w == nil || len(w.made) == 0 || w.going || item.Version == 0 || item.Version < w.made[0].revision {
			continue
		}
		r.Checked++
		if w.at(item.Version) != nil || slices.ContainsFunc(w.unknown, func(c change) bool { return !c.item.Absent && c.item.Value == item.Value }) {
			continue
		}
		version := history.Version{Revision: item.Version, Value: item.Value}
		r.Break(func() string {
			return fmt.Sprintf("version %d of %s was made by no write that was acknowledged or may have happened", item.Version, key)
		}, w.writers(&version), f.exhibit(key, item))
	}
}

// failed checks that a write which surely failed left nothing: its value, where no
// other write of the key has the same, is nowhere.
func (x *index) failed(least int) history.Report {
	r := history.Report{Property: "what surely failed never appears"}
	shown := map[string]map[string]func() history.Exhibit{}
	show := func(key, value string, e func() history.Exhibit) {
		if shown[key] == nil {
			shown[key] = map[string]func() history.Exhibit{}
		}
		if value != "" && shown[key][value] == nil {
			shown[key][value] = e
		}
	}
	for i := range x.Versions {
		v := &x.Versions[i]
		for j := range v.Versions {
			show(v.Key, v.Versions[j].Value, func() history.Exhibit { return exhibit(v, &v.Versions[j]) })
		}
	}
	for i := range x.finals {
		f := &x.finals[i]
		for key, item := range f.items {
			show(key, item.Value, func() history.Exhibit { return f.exhibit(key, item) })
		}
	}
	for _, key := range slices.Sorted(maps.Keys(x.keys)) {
		w := x.keys[key]
		others := map[string]bool{}
		for _, list := range [][]change{w.made, w.unknown} {
			for i := range list {
				others[list[i].item.Value] = true
			}
		}
		for i := range w.failed {
			c := &w.failed[i]
			if c.item.Value == "" || c.item.Absent || others[c.item.Value] {
				r.Leave("failed writes whose value says nothing")
				continue
			}
			r.Checked++
			if e := shown[key][c.item.Value]; e != nil {
				r.Break(func() string { return fmt.Sprintf("%s=%s surely failed, and is there", key, c.item.Value) }, []*history.Operation{c.operation}, e())
			}
		}
	}
	return r.Conclude(least)
}
