# `make` lists the targets. Recipes are short: the logic is in Go and in scripts/.
.DEFAULT_GOAL := help
SHELL := bash

GO      ?= go
LINT    := $(GO) tool -modfile=tools.mod golangci-lint

PKG     ?= ./...# packages to test
TIMEOUT ?= 85m# of one package's tests
FUZZTIME ?= 30s# of one fuzz target
CHAOS   ?= 25# faults of make chaos
SEED    ?= 20261121# by which they are drawn
SOAK_FOR ?= 30m# how long make soak plays: 15m or more
TIMES   ?= 10# how often make repeat runs its tests
DEMO    := out/demo

# Flink and Beam's runner for it. These two and the Beam SDK of go.mod have been
# run together; read docs before you change one. Nothing else names a version.
FLINK_VERSION := 1.19.3
BEAM_FLINK_VERSION := 2.62.0

.PHONY: help
help: ## List the targets (the default)
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Turn a real access log into a lake and a report, in out/demo
	@scripts/prereq.sh go
	$(GO) run ./cmd/millrace run weblogs --source 'file://$(CURDIR)/testdata/access-logs/semicomplete_2015-05-17_18.log.gz' --lake $(DEMO)
	@echo "Look at $(DEMO)/report.html"

.PHONY: demo-live
demo-live: ## Stream through Kinesis and Flink for a minute, and compare with the batch job; in out/demo-live
	@scripts/prereq.sh go python java maven node
	@$(MAKE) --no-print-directory build
	$(GO) run ./internal/demolive

.PHONY: build
build: ## Build bin/millrace
	@scripts/prereq.sh go
	$(GO) build -trimpath -buildvcs=auto -ldflags '-s -w' -o bin/millrace ./cmd/millrace

.PHONY: setup
setup: ## Install the servers that tests run against, in .cache
	@scripts/prereq.sh go python browser java maven node
	$(GO) run ./internal/testenv/setup

.PHONY: flink
flink: ## Install Flink and Beam's job server for it, in .cache
	@scripts/prereq.sh go python java maven
	$(GO) run ./internal/testenv/setup flink

.PHONY: test
test: setup ## Run all tests (PKG=./io/... for some)
	$(GO) test -timeout $(TIMEOUT) $(PKG)

.PHONY: soak
soak: setup ## Watch a live job on Flink for SOAK_FOR (30m), with an outage in the middle; out/soak.md has the figures
	@mkdir -p out
	SOAK_FOR=$(SOAK_FOR) SOAK_REPORT=$(CURDIR)/out/soak.md $(GO) test -tags soak -count=1 -v -timeout 24h -run ASteadyJob ./internal/e2e

.PHONY: repeat
repeat: setup ## Run the tests of live jobs on Flink TIMES (10) times: killed, stopped, resumed, all amid checkpoints
	$(GO) test -tags soak -count=$(TIMES) -timeout 12h -run 'OnFlink|Amid|Killed|Savepoint|Pool|Supervised|Positions|Resumed' ./internal/e2e

.PHONY: chaos
chaos: setup ## Hurt the live job on Flink CHAOS (25) times, as SEED has it, and compare; out/chaos.md has the table
	@mkdir -p out
	CHAOS=$(CHAOS) CHAOS_SEED=$(SEED) CHAOS_REPORT=$(CURDIR)/out/chaos.md $(GO) test -tags soak -count=1 -v -timeout 24h -run TestChaos ./internal/e2e

.PHONY: race
race: setup ## Run all tests under the race detector
	@scripts/prereq.sh gcc
	$(GO) test -race -timeout $(TIMEOUT) $(PKG)

.PHONY: lint
lint: ## Check code, licences, bill of materials and reference; prove that the import rules bite
	@scripts/prereq.sh go
	$(LINT) run ./...
	$(GO) test -count=1 -timeout 30m -tags lint -run 'EveryRuleBites|EveryLicence|BillOfMaterials' ./internal/archtest
	$(GO) run ./internal/docs -check
	$(GO) mod tidy -diff

.PHONY: fmt
fmt: ## Format the code
	$(LINT) fmt ./...

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (30s)
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: mutate
mutate: ## Run every fuzz target for FUZZTIME (30s) on inputs that are changed blindly: many more executions
	scripts/mutate.sh $(FUZZTIME)

.PHONY: bench
bench: ## Compare with DuckDB on 2,000,000 lines: the job, a funnel, sessions; time, memory, ratio
	@scripts/prereq.sh go python
	$(GO) run ./internal/bench

.PHONY: bench-sinks
bench-sinks: ## Measure sinks beside the best ready-made clients
	@scripts/prereq.sh go python java maven
	$(GO) run ./internal/benchsinks

.PHONY: eval
eval: ## Count test vectors that pass; measure detection on data with a known truth: NAB, alerts, security rules
	@scripts/prereq.sh go
	@$(GO) run ./internal/eval

.PHONY: eval-mask
eval-mask: ## Measure how well masking finds what it should, type by type
	@scripts/prereq.sh go
	@$(GO) run ./internal/evalmask/report

.PHONY: bench-live
bench-live: build ## Measure the job live: Kinesis to Flink to lake; beside Flink SQL
	@scripts/prereq.sh go python java maven node
	$(GO) run ./internal/benchlive

.PHONY: golden
golden: ## Write the golden files anew; look at the difference before you commit
	scripts/golden.sh

.PHONY: docs
docs: ## Write the generated reference in docs/reference anew
	$(GO) run ./internal/docs

.PHONY: sbom
sbom: build ## Write what is in bin/millrace, and its licences, to out/sbom.cdx.json (CycloneDX)
	scripts/sbom.sh bin/millrace out/sbom.cdx.json

.PHONY: vuln
vuln: ## Look the dependencies up in Go's vulnerability database; needs the network
	$(GO) tool -modfile=tools.mod govulncheck ./...

.PHONY: clean
clean: ## Remove what was built, installed and written: bin, out, .cache
	rm -rf bin out .cache
