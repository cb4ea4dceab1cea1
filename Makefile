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
DEV_FLAGS  ?= --nodes 3
DEMO_FLAGS ?= --nodes 3 --apply examples/ --failover

# What `make race` covers: the rooms whose code runs concurrently and in the test's own process.
RACE_ROOMS    := client cmd coordinator drill freshness fsm server verify worker
RACE_PACKAGES ?= $(foreach room,$(RACE_ROOMS),$(if $(wildcard $(room)),./$(room)/...))

# Modules beside the root one whose code is ours to test and lint.
MODULES := $(patsubst %/go.mod,%,$(wildcard bench/go.mod))

on = $(filter 1 true yes,$(1))
BENCH_FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help build test race lint lint-format lint-vet lint-go lint-proto gen gen-check tidy-check vuln verify \
	dev demo bench measure fuzz clean

help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/candor: static, reproducible, version from git (VERSION=…)
	CGO_ENABLED=0 $(GO) build $(BUILD_FLAGS) -o bin/candor ./cmd/candor

test: ## Run every test that needs nothing but Go (TEST_FLAGS=…)
	$(GO) test $(TEST_FLAGS) ./...
	@for module in $(MODULES); do echo "$(GO) test -C $$module"; $(GO) test -C $$module $(TEST_FLAGS) ./...; done
	@scripts/root-tests.sh

race: ## Race-test the concurrent packages; needs a C compiler (RACE_PACKAGES=… RACE_FLAGS=…)
	@cc="$$($(GO) env CC)"; command -v $${cc%% *} >/dev/null || { \
		echo "race: the race detector needs a C compiler, and $$cc is not on PATH." >&2; \
		echo "race: on Debian run 'apt-get install gcc libc6-dev', then 'make race' again." >&2; exit 1; }
	$(if $(strip $(RACE_PACKAGES)),CGO_ENABLED=1 $(GO) test -race $(RACE_FLAGS) $(RACE_PACKAGES),\
		@echo "race: none of these rooms exist yet: $(RACE_ROOMS)")

lint: lint-format lint-vet lint-go lint-proto ## Check format, go vet, golangci-lint and buf lint

lint-format:
	@unformatted="$$(find . -name '*.go' -not -path '*/testdata/*' -print0 | \
		xargs -0 "$$($(GO) env GOROOT)/bin/gofmt" -l)"; \
	if [ -n "$$unformatted" ]; then \
		echo "lint: not formatted; run gofmt -w on:" >&2; echo "$$unformatted" >&2; exit 1; fi

lint-vet:
	$(GO) vet ./...

lint-go:
	$(TOOL) golangci-lint run --allow-parallel-runners ./...
	@for module in $(MODULES); do echo "golangci-lint in $$module"; \
		(cd $$module && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --allow-parallel-runners ./...); done

lint-proto:
	$(TOOL) buf lint

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

demo: build ## Run three servers with examples/ applied; EXIT=1 tears down once converged
	bin/candor dev $(DEMO_FLAGS) $(if $(call on,$(EXIT)),--exit-when-ready)

# With CHECK=1 a missed target ends bin/bench with status 8; make reports that and, as for every failure, exits 2.
bench: $(if $(filter $(CURDIR)/bin/candor,$(CANDOR)),build)
bench: ## Measure beside etcd (SMOKE=1 in short, CHECK=1 fails on a missed target, CANDOR=binary, BENCH_FLAGS=…)
	$(GO) build -C bench -trimpath -buildvcs=false -o bin/bench ./cmd/bench
	cd bench && CANDOR='$(CANDOR)' bin/bench $(if $(call on,$(SMOKE)),--smoke) $(if $(call on,$(CHECK)),--check) $(BENCH_FLAGS)

measure: ## Judge what takes a quiet machine: another client's p99 beside 5,000 connections of one address
	CANDOR_MEASURE=1 $(GO) test -count=1 -timeout 20m -v -run 'TestAFloodOfConnections' ./integration

fuzz: ## Fuzz every target for FUZZTIME (10s) each
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

clean: ## Remove what make built
	rm -rf bin bench/bin coverage.out
