# Every target with a `##` line shows in `make help`. Go is all that build, test, lint and demo need;
# tools come from tools/go.mod at pinned versions and are built by Go on first use.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory

GO   ?= go
TOOL := $(GO) tool -modfile=tools/go.mod

# `candor version` prints this: it is linked into the variable `version` of package main.
VERSION     ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
BUILD_FLAGS := -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)'
CANDOR      ?= $(CURDIR)/bin/candor

TEST_FLAGS ?= -timeout 10m
RACE_FLAGS ?= -short -timeout 10m
FUZZTIME   ?= 10s
SEED       ?= 1
N          ?= 2000
DEV_FLAGS  ?= --nodes 3
DEMO_FLAGS ?= --nodes 3 --workers 2 --policies examples/policies --apply examples/shop --failover

# What `make race` covers: the rooms whose code runs concurrently and in the test's own process.
# fsm, freshness, the scheduler and verify are pure or of one goroutine; datadir's tests damage files, one after the other.
RACE_ROOMS    := client cmd coordinator drill server worker
# Those of drill's packages below are of other processes, a browser, or the kernel.
RACE_WITHOUT  := /datadir$$|/scheduler$$|/drill/(stage|report|network|doctor)
RACE_PACKAGES ?= $(foreach room,$(RACE_ROOMS),$(if $(wildcard $(room)),./$(room)/...))

# Modules beside the root one whose code is ours to test and lint.
MODULES := $(patsubst %/go.mod,%,$(wildcard bench/go.mod compat/*/go.mod examples/*/go.mod))

on = $(filter 1 true yes,$(1))
BENCH_FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help build test failpoints zoo race lint lint-format lint-go lint-proto gen gen-check tidy-check vuln verify \
	dev demo bench measure explore sim day bubbles fuzz clean

help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/candor: static, reproducible, version from git (VERSION=…)
	CGO_ENABLED=0 $(GO) build $(BUILD_FLAGS) -o bin/candor ./cmd/candor

# The integration tests take longest and mostly wait, the clusters in virtual time take longest of the rest: both first, so
# that all others run beside them.
test: ## Run every test that needs nothing but Go (TEST_FLAGS=…)
	$(GO) test $(TEST_FLAGS) ./integration ./server/servertest $$($(GO) list ./... | grep -vE '/(integration|servertest)$$')
	@for module in $(MODULES); do echo "$(GO) test -C $$module"; $(GO) test -C $$module $(TEST_FLAGS) ./...; done
	@scripts/root-tests.sh

# make test has one crash at each; this has one for each duty and kind of change, and both ways of coming back.
failpoints: ## Crash servers at every failpoint, of every duty and every change of members: some minutes
	$(GO) vet -tags failpoints ./internal/failpoint ./coordinator/... ./server/...
	$(GO) test -tags failpoints ./internal/failpoint
	CANDOR_FAILPOINTS_ALL=1 $(GO) test -count=1 -timeout 15m -v -run 'TestCrashesInTheMiddle|TestDutiesThatStandStill|TestAWallClockThatJumps|TestTheProductHasNoFailpoints' ./integration

zoo: ## Put every known mistake back, one at a time, and see the checks find it: some minutes (ZOO=name,name)
	$(GO) vet -tags zoo ./internal/zoo ./integration/zoo
	$(GO) test -tags zoo ./internal/zoo
	CANDOR_ZOO_ALL=1 CANDOR_ZOO_ONLY='$(ZOO)' $(GO) test -tags zoo -count=1 -timeout 20m -v ./integration/zoo

race: ## Race-test the concurrent packages; needs a C compiler (RACE_PACKAGES=… RACE_FLAGS=…)
	@cc="$$($(GO) env CC)"; command -v $${cc%% *} >/dev/null || { \
		echo "race: the race detector needs a C compiler, and $$cc is not on PATH." >&2; \
		echo "race: on Debian run 'apt-get install gcc libc6-dev', then 'make race' again." >&2; exit 1; }
	$(if $(strip $(RACE_PACKAGES)),CGO_ENABLED=1 $(GO) test -race $(RACE_FLAGS) $$($(GO) list $(RACE_PACKAGES) | grep -vE '$(RACE_WITHOUT)'),\
		@echo "race: none of these rooms exist yet: $(RACE_ROOMS)")

lint: lint-format lint-go lint-proto ## Check format, golangci-lint with go vet in it, and buf lint

lint-format:
	@unformatted="$$(find . -name '*.go' -not -path '*/testdata/*' -print0 | \
		xargs -0 "$$($(GO) env GOROOT)/bin/gofmt" -l)"; \
	if [ -n "$$unformatted" ]; then \
		echo "lint: not formatted; run gofmt -w on:" >&2; echo "$$unformatted" >&2; exit 1; fi

lint-go:
	$(TOOL) golangci-lint run --allow-parallel-runners ./...
	@for module in $(MODULES); do echo "golangci-lint in $$module"; \
		(cd $$module && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --allow-parallel-runners ./...); done

lint-proto:
	@scripts/gen.sh --lint

gen: ## Generate Go code from rpc/**/*.proto
	@scripts/gen.sh

gen-check:
	@scripts/gen.sh --check

tidy-check:
	@scripts/tidy-check.sh

vuln: ## Look for known vulnerabilities (needs vuln.go.dev; says so when it could not run)
	@scripts/vuln.sh

verify: lint gen-check tidy-check vuln ## lint, and fail on drift of generated code or go.mod, then vuln

dev: build ## Run a cluster of real processes on this machine (DEV_FLAGS=…)
	bin/candor dev $(DEV_FLAGS)

demo: build ## Run a shop on three servers and two workers, kill some, ask why; EXIT=1 ends by itself
	CGO_ENABLED=0 $(GO) build -C examples/shop -trimpath -buildvcs=false -o $(CURDIR)/bin/shop .
	bin/candor dev $(DEMO_FLAGS) $(if $(call on,$(EXIT)),--exit-when-ready)

# With CHECK=1 a missed target ends bin/bench with status 8; make reports that and, as for every failure, exits 2.
bench: $(if $(filter $(CURDIR)/bin/candor,$(CANDOR)),build)
bench: ## Measure beside etcd (SMOKE=1 in short, CHECK=1 fails on a missed target, CANDOR=binary, BENCH_FLAGS=…)
	$(GO) build -C bench -trimpath -buildvcs=false -o bin/bench ./cmd/bench
	cd bench && CANDOR='$(CANDOR)' bin/bench $(if $(call on,$(SMOKE)),--smoke) $(if $(call on,$(CHECK)),--check) $(BENCH_FLAGS)

measure: ## Judge what takes a quiet machine: a flood's effect on others' p99, and how soon duties move and are taken over
	CANDOR_MEASURE=1 $(GO) test -count=1 -timeout 20m -v -run 'TestAFloodOfConnections|TestDutiesOfKilledHolders|TestDutiesMoveWithoutDelay' ./integration

explore: ## Explore the models of tenures and transitions within wide bounds; prints bounds, states, depth, time
	CANDOR_EXPLORE=1 $(GO) test -count=1 -timeout 60m -v ./verify/explore/...

# A schedule takes some 3 ms of one core: 2,000 take two quiet cores about three seconds, N=100000 two to three minutes.
sim: build ## Run N (2000) seeded schedules of simulated failures, then CANDOR_SIM_HOURS (0.2) of simulated cluster time; prints both speeds (SIM_FLAGS=…)
	bin/candor verify sim --seeds 1..$(N) $(SIM_FLAGS)
	scripts/day.sh "$${CANDOR_SIM_HOURS:-0.2}"

day: ## Simulate a day (CANDOR_SIM_HOURS=24) of clusters on which faults come every CANDOR_SIM_PACE (10m): some minutes
	scripts/day.sh "$${CANDOR_SIM_HOURS:-24}" "$${CANDOR_SIM_PACE:-10m}"

bubbles: ## Drill every scenario of the library that takes no processes in virtual time (CANDOR_SEED=…): some minutes
	TMPDIR="$${TMPDIR:-$$([ -w /dev/shm ] && echo /dev/shm || echo /tmp)}" CANDOR_CHAOS=all \
		$(GO) test -count=1 -timeout 30m -v -run TestDrillsInVirtualTime ./server/servertest

drills: build ## Run every scenario on real processes, one by one: accounts below drills/, and the bars (DRILLS="NAME …" SEED=1)
	scripts/drills.sh bin/candor drills $(SEED) $(DRILLS)

fuzz: ## Fuzz every target for FUZZTIME (10s) each
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

clean: ## Remove what make built
	rm -rf bin bench/bin coverage.out drills
