package scenario

// need is what a kind of fault takes beside At, Times and Every.
type need struct {
	needs, may []string
	// one: at least one of these.
	one []string
}

// needs has every kind.
var needs = map[Kind]need{
	Kill:    {needs: []string{"target"}, may: []string{"for"}},
	Stop:    {needs: []string{"target"}, may: []string{"for"}},
	Restart: {needs: []string{"target"}},
	Pause:   {needs: []string{"target", "for"}},

	Transfer: {may: []string{"to"}},

	Partition: {needs: []string{"target", "for", "shape"}},
	Link:      {needs: []string{"target", "for"}, may: []string{"to", "delay", "jitter", "loss", "reorder", "duplicate"}, one: []string{"delay", "jitter", "loss", "reorder", "duplicate"}},

	SlowDisk: {needs: []string{"target", "for", "delay"}},
	HangDisk: {needs: []string{"target", "for"}},
	FullDisk: {needs: []string{"target", "for"}},
	FailDisk: {needs: []string{"target"}, may: []string{"for"}},
	Damage:   {needs: []string{"target", "what"}},
	Wipe:     {needs: []string{"target"}},

	Clock: {needs: []string{"target", "for"}, may: []string{"offset", "drift", "freeze"}, one: []string{"offset", "drift", "freeze"}},

	Add:     {},
	Remove:  {needs: []string{"target"}},
	Replace: {needs: []string{"target"}},

	Starve: {needs: []string{"target", "for"}},

	Storm:     {needs: []string{"target", "for", "count"}},
	Sleeper:   {needs: []string{"target", "for", "count"}},
	Malformed: {needs: []string{"target", "count"}},

	SilentLog: {needs: []string{"target", "for"}},
	Upgrade:   {},

	Move:      {needs: []string{"duty"}, may: []string{"to"}},
	LoseNodes: {needs: []string{"for", "count"}},

	EndInstances: {needs: []string{"count"}},
	FailProbes:   {needs: []string{"for", "count"}},
}

// field is one that only some kinds have.
type field struct {
	name  string
	given func(*Fault) bool
}

var fields = []field{
	{"target", func(f *Fault) bool { return f.Target != "" }},
	{"for", func(f *Fault) bool { return f.For != 0 }},
	{"to", func(f *Fault) bool { return f.To != "" }},
	{"shape", func(f *Fault) bool { return f.Shape != "" }},
	{"delay", func(f *Fault) bool { return f.Delay != 0 }},
	{"jitter", func(f *Fault) bool { return f.Jitter != 0 }},
	{"loss", func(f *Fault) bool { return f.Loss != 0 }},
	{"reorder", func(f *Fault) bool { return f.Reorder != 0 }},
	{"duplicate", func(f *Fault) bool { return f.Duplicate != 0 }},
	{"what", func(f *Fault) bool { return f.What != "" }},
	{"offset", func(f *Fault) bool { return f.Offset != 0 }},
	{"drift", func(f *Fault) bool { return f.Drift != 0 }},
	{"freeze", func(f *Fault) bool { return f.Freeze }},
	{"count", func(f *Fault) bool { return f.Count != 0 }},
	{"duty", func(f *Fault) bool { return f.Duty != "" }},
}

func given(f *Fault, name string) bool {
	for _, field := range fields {
		if field.name == name {
			return field.given(f)
		}
	}
	return false
}
