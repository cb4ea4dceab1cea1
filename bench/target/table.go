package target

// table is every promise of the project about its speed and memory. Bounds on
// Candor are in the row's unit.
var table = []Target{
	{"create/1/rate", Ratio, AtLeast, 1.0, 1.15},
	{"update/1/rate", Ratio, AtLeast, 1.0, 1.15},
	{"create/1/p50", Ratio, AtMost, 1.0, 0.8},
	{"update/1/p50", Ratio, AtMost, 1.0, 0.8},

	{"create/64/rate", Ratio, AtLeast, 1.1, 1.4},
	{"update/64/rate", Ratio, AtLeast, 1.1, 1.4},
	{"create/256/rate", Ratio, AtLeast, 1.4, 1.8},
	{"update/256/rate", Ratio, AtLeast, 1.4, 1.8},
	{"create/1000/rate", Ratio, AtLeast, 1.6, 2.2},
	{"update/1000/rate", Ratio, AtLeast, 1.6, 2.2},

	{"create/256/p99", Ratio, AtMost, 0.8, 0.55},
	{"update/256/p99", Ratio, AtMost, 0.8, 0.55},

	{"swap/64/rate", Ratio, AtLeast, 1.1, 1.4},
	{"swap/256/rate", Ratio, AtLeast, 1.4, 1.8},

	{"read-strong/1/rate", Ratio, AtLeast, 1.3, 1.7},
	{"read-strong/64/rate", Ratio, AtLeast, 1.2, 1.5},
	{"read-strong/256/rate", Ratio, AtLeast, 1.2, 1.5},
	{"read-local/follower/256/rate", Ratio, AtLeast, 1.2, 1.45},
	{"read-bounded/follower/256/rate", Ratio, AtLeast, 1.2, 1.45},
	{"read-bounded/spread/256/rate", Ratio, AtLeast, 1.0, 1.3},
	{"read-bounded/routed/256/rate", Ratio, AtLeast, 1.0, 1.3},

	{"bound/idle/p99", Candor, AtMost, 150, 115},
	{"bound/writes/p99", Candor, AtMost, 150, 115},
	{"beacon/cpu", Excess, AtMost, 1, 0.5},
	{"witness/bounded/256/rate", Ratio, AtLeast, 0.95, 0},
	{"witness/best-effort/256/rate", Ratio, AtLeast, 0.95, 0},

	{"watch/1000/rate", Ratio, AtLeast, 1.0, 1.5},
	{"watch/1000/p99", Ratio, AtMost, 1.0, 0.6},

	{"alloc/ids/1/1/rate", Candor, AtLeast, 4000, 0},
	{"alloc/ids/1/1/p99", Candor, AtMost, 1, 0},
	{"alloc/ids/1/64/rate", Candor, AtLeast, 50_000, 0},
	{"alloc/ids/1/64/p99", Candor, AtMost, 8, 0},
	{"alloc/ids/100/64/rate", Candor, AtLeast, 25_000, 0},
	{"alloc/timestamps/1/1/rate", Candor, AtLeast, 4000, 0},
	{"alloc/timestamps/1/1/p99", Candor, AtMost, 1, 0},
	{"alloc/timestamps/1/64/rate", Candor, AtLeast, 50_000, 0},
	{"alloc/timestamps/1/64/p99", Candor, AtMost, 8, 0},
	{"alloc/timestamps/100/64/rate", Candor, AtLeast, 25_000, 0},

	{"placement/1000x10000/rate", Candor, AtLeast, 1500, 3000},
	{"placement/1000x10000/placed-p99", Candor, AtMost, 5, 2},
	{"placement/1000x10000/idle-cpu", Candor, AtMost, 30, 10},
	{"placement/5000x50000/rate", Candor, AtLeast, 1000, 2000},
	{"placement/5000x50000/idle-cpu", Candor, AtMost, 50, 15},
	{"drain/100/time", Candor, AtMost, 10, 2},

	{"tls/update/64/rate", Held, AtLeast, 1, 0},
	{"tls/update/64/p99", Held, AtMost, 1, 0},
	{"tls/update/64/cpu", Held, AtMost, 1, 0},
	{"tls/update/256/rate", Held, AtLeast, 1, 0},
	{"tls/update/256/p99", Held, AtMost, 1, 0},
	{"tls/update/256/cpu", Held, AtMost, 1, 0},
	{"tls/read-strong/256/rate", Held, AtLeast, 1, 0},
	{"tls/read-strong/256/p99", Held, AtMost, 1, 0},
	{"tls/read-strong/256/cpu", Held, AtMost, 1, 0},
	{"tls/read-bounded/follower/256/rate", Held, AtLeast, 1, 0},
	{"tls/read-bounded/follower/256/p99", Held, AtMost, 1, 0},
	{"tls/read-bounded/follower/256/cpu", Held, AtMost, 1, 0},
	{"tls/watch/100/rate", Held, AtLeast, 1, 0},
	{"tls/watch/100/p99", Held, AtMost, 1, 0},

	{"failover/defaults/gap", Ratio, AtMost, 0.5, 0.35},
	{"failover/defaults/gap", Candor, AtMost, 0.7, 0},

	{"scale/rss-restarted", Ratio, AtMost, 1.5, 1.1},
	{"scale/restart", Ratio, AtMost, 1.0, 0.5},
	{"scale/snapshot-slowdown", Candor, AtMost, 3, 1.5},
	{"scale/list-rss", Ratio, AtMost, 0.3, 0.1},

	{"idle/cpu", Ratio, AtMost, 2, 1},
	{"create/256/cpu", Ratio, AtMost, 0.75, 0.55},
	{"update/256/cpu", Ratio, AtMost, 0.75, 0.55},
}
