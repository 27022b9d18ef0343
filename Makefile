# `make` lists the targets. None of them needs root, or changes anything outside
# this folder but Go's own caches.

GO ?= go
BIN := $(CURDIR)/.bin
MODULE := github.com/protocluster/workshop
PACKAGES := $(patsubst %,./%/...,$(wildcard pkg cmd tools chapters solutions)) ./exercises_test/internal/... ./exercises_test/lab/...

# The race detector needs a C compiler; go says 0 where there is none.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)
# Of make demo: automanaged or consul, and flags of cmd/demo.
PROVIDER ?= automanaged
DEMO ?=
# A number of inputs: fuzzing for a time may fail at its end, by a fault of Go's own
# before 1.27 (go.dev/issue/75804).
FUZZTIME ?= 50000x
BENCHTIME ?= 1s

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A Consul of one's own comes before the one that make consul makes.
CONSUL := $(if $(or $(CONSUL_BIN),$(shell command -v consul)),,$(BIN)/consul)

.PHONY: demo
demo: $(if $(filter consul,$(PROVIDER)),$(CONSUL)) ## Start three members, kill one, watch its actors return (10 s); PROVIDER=consul: one sleeps too
	@$(GO) build -o $(BIN)/ ./cmd/member ./cmd/demo
	@$(BIN)/demo -member $(BIN)/member -provider $(PROVIDER) $(DEMO)

PAGE ?= 127.0.0.1:8080

.PHONY: page
page: $(if $(filter consul,$(PROVIDER)),$(CONSUL)) ## Watch three members on a live page at PAGE until you stop it, and break them; PROVIDER=consul: with leases
	@$(GO) build -o $(BIN)/ ./cmd/member ./cmd/demo
	@$(BIN)/demo -page $(PAGE) -plain -member $(BIN)/member -provider $(PROVIDER) $(DEMO)

# One goroutine does all there is in these, so nothing can race, and looking for
# that would make them ten times as slow.
SEALEDVIEW := ./pkg/protocluster/internal/sealedview
ALONE = $(shell $(GO) list $(SEALEDVIEW)/... ./pkg/protocluster/internal/gossip ./pkg/protocluster/internal/rendezvous)

# What go vet finds is told by make vet, once.
TEST = $(GO) test -vet=off -shuffle=on -timeout=10m

# A program with the race detector sleeps for a second at its end, for races that
# may come yet. Tests wait for their goroutines, and there are sixty such programs.
test test-long: export GORACE ?= atexit_sleep_ms=10

.PHONY: test
test: ## Test everything that needs nothing but Go (2 min the first time)
	@$(if $(RACE),,echo 'no C compiler: testing without the race detector')
	$(TEST) -short $(RACE) $(filter-out $(ALONE),$(shell $(GO) list $(PACKAGES)))
	$(TEST) -short $(ALONE)
	$(GO) run $(SEALEDVIEW)/explore -short
	@echo 'not tested here: the exercises, which are red until you solve them; make learn begins with the first'

# With -short the tests that take many rounds take fewer, and those are left out that
# compile programs or need seconds of real time.
LONG = $(shell $(GO) list $(addprefix ./,$(sort $(dir $(shell grep -rl --include='*_test.go' 'testing\.Short()' pkg cmd)))))

.PHONY: test-long
test-long: ## Test in full what make test takes fewer rounds of, or leaves out (3 min)
	$(TEST) $(RACE) $(filter-out $(ALONE),$(LONG))
	$(TEST) $(filter $(ALONE),$(LONG))

SEEDS ?= 1000

.PHONY: explore
explore: ## Try all that the protocol of sealed views can do, within bounds, and break it by each mutation (4 min)
	$(GO) run $(SEALEDVIEW)/explore -all

.PHONY: explore-plain
explore-plain: ## Compare what the explorer leaves out as making no difference with all there is (5 min)
	$(GO) test -tags=heavy -count=1 -v -timeout=60m -run='^TestHeavy$$' $(SEALEDVIEW)/model

.PHONY: simulate
simulate: ## Simulate SEEDS clusters with faults all the time, and as many that heal (1 min)
	$(GO) run $(SEALEDVIEW)/simulate -mode safety -seeds $(SEEDS)
	$(GO) run $(SEALEDVIEW)/simulate -mode liveness -seeds $(SEEDS)

.PHONY: learn
learn: ## Say where you are in the workshop, and what to do next
	@$(GO) tool workshop

.PHONY: test-chapter4
test-chapter4: ## Test your solutions of chapter 4, which are red until you have written them
	@echo "$(GO) test ./exercises_test/chapter4/..."; $(GO) test ./exercises_test/chapter4/... || { echo "what is red is yours to write; make learn says where to begin"; exit 1; }

# Not by go tool, which reports success if a signal ends the tool, such as that of a
# machine that is out of memory (Go 1.26).
WORKSHOP = $(BIN)/workshop
.PHONY: $(WORKSHOP)
$(WORKSHOP):
	@$(GO) build -o $@ ./cmd/workshop

.PHONY: test-solutions
test-solutions: $(WORKSHOP) ## Test the workshop's own solutions, with 200 seeds each
	$(WORKSHOP) verify -solutions -seeds=200 $(RACE)

.PHONY: verify-workshop
verify-workshop: $(WORKSHOP) ## Prove that every exercise is red, solvable, and catches wrong solutions
	$(WORKSHOP) verify -times=300 -load

SAMPLE ?= 1

.PHONY: verify-mutants
verify-mutants: $(WORKSHOP) ## Break each solution in small ways, of which tests must notice nine of ten; SAMPLE=4: a quarter of them
	$(WORKSHOP) verify -mutants -sample=$(SAMPLE)

SLIDES ?= 127.0.0.1:3999

.PHONY: slides
slides: ## Serve the slides, with notes, until you stop it; SLIDES is the address
	@$(GO) build -C slides -o $(BIN)/ golang.org/x/tools/cmd/present
	@echo 'the slides are at http://$(SLIDES)/chapter4.slide'
	@$(BIN)/present -http=$(SLIDES) -content=slides -notes -play=false || { echo 'if the address is taken: make slides SLIDES=127.0.0.1:4000'; exit 1; }

# Not cached, because go test does not look at files outside of the module.
.PHONY: slides-test
slides-test: ## Test that the slides show code that is there, and that the agendas add up
	$(GO) test -C slides -count=1 ./...

.PHONY: test-repeat
test-repeat: ## Test the library twenty times over, to find what depends on luck
	$(GO) test -vet=off -count=20 -short -shuffle=on -timeout=20m $(filter-out $(ALONE),$(shell $(GO) list ./pkg/...))

LAB ?=

.PHONY: lab
lab: $(WORKSHOP) ## Start the failover lab in Docker; its page is http://127.0.0.1:8080 (20 s); LAB=-code=mine runs your code
	@$(WORKSHOP) lab up $(LAB)

.PHONY: lab-down
lab-down: $(WORKSHOP) ## Remove all that is of the lab
	@$(WORKSHOP) lab down

.PHONY: images
images: $(WORKSHOP) $(BIN)/consul ## Make the lab's images from static programs alone, for where no registry can be reached
	@$(WORKSHOP) lab images

.PHONY: verify-lab
verify-lab: images ## Prove that the solutions, as a cluster in Docker, survive each scenario of the lab (3 min)
	$(WORKSHOP) verify -lab

# What was skipped was not tested.
.PHONY: test-lab
test-lab: images ## Test the lab with real containers (4 min); if CI=true nothing may be skipped
	$(GO) test -v -count=1 -tags=integration -timeout=20m ./exercises_test/lab

INTEGRATION = $(sort $(dir $(shell grep -rl --include='*_test.go' '^//go:build integration' pkg cmd)))
PROCESSES := pkg/protocluster/integration/
CHAOS ?= 5m

.PHONY: test-integration
test-integration: $(CONSUL) ## Test against a real Consul and real processes, with nemeses for CHAOS (10 min); if CI=true nothing may be skipped
	@mkdir -p $(BIN); log=$(BIN)/test-integration.log; status=0; echo "testing; the log is $$log"; \
	$(GO) test $(RACE) -v -count=1 -tags=integration -parallel=8 -timeout=20m $(addprefix ./,$(filter-out $(PROCESSES),$(INTEGRATION))) >$$log 2>&1 || status=$$?; \
	CHAOS=$(CHAOS) $(GO) test $(RACE) -v -count=1 -tags=integration -timeout=0 ./$(PROCESSES) >>$$log 2>&1 || status=$$?; \
	if [ $$status -ne 0 ]; then cat $$log; fi; \
	grep -E '^(ok|FAIL|--- (FAIL|SKIP)| +--- (FAIL|SKIP))' $$log; \
	if [ "$(CI)" = true ] && grep -q -e '--- SKIP' $$log; then echo 'CI=true, and a test was skipped'; status=1; fi; \
	exit $$status

BROWSER := $(GO) test -C tools/browser -v -count=1 -timeout=10m

.PHONY: test-page
test-page: $(CONSUL) ## Test the live page in a real Chromium, and keep what it looked like in .bin/artifacts (1 min)
	$(BROWSER) -tags=integration -run='^TestPage$$' .

.PHONY: test-lab-page
test-lab-page: ## Press the buttons of the page that make lab serves, in a real Chromium
	$(BROWSER) -tags=integration,containers -run='^TestLabPage$$' .

.PHONY: pictures
pictures: $(CONSUL) ## Make the pictures anew that the texts show, of the live page and a terminal
	$(BROWSER) -tags=pictures -run='^Test(Pictures|Terminal)$$' .

KILLS ?= 100

.PHONY: measure
measure: $(CONSUL) ## Measure what a cluster of processes does when members fail, KILLS times, for MEASURED.md (15 min)
	MEASURED=$(CURDIR)/pkg/protocluster/MEASURED.md KILLS=$(KILLS) \
		$(GO) test -v -count=1 -tags=integration,measure -timeout=0 -run='^TestMeasure$$' ./$(PROCESSES)

.PHONY: check
check: ## Do what CI does
	@.ci/run

.PHONY: vet
vet: ## Run go vet
	$(GO) vet $(PACKAGES) ./exercises_test/...
	$(GO) vet -C tools/protogen ./...
	$(GO) vet -C tools/browser -tags=integration,pictures,containers ./...
	$(GO) vet -C slides ./...
	$(GO) vet -C benchmarks ./...

.PHONY: lint
lint: $(BIN)/golangci-lint ## Run the linters of .golangci.yml (the first time it builds them: 2 min)
	$(BIN)/golangci-lint run $(PACKAGES) ./exercises_test/...
	cd tools/protogen && $(BIN)/golangci-lint run
	cd tools/browser && $(BIN)/golangci-lint run --build-tags=integration,pictures,containers
	cd slides && $(BIN)/golangci-lint run
	cd benchmarks && $(BIN)/golangci-lint run

.PHONY: fmt
fmt: $(BIN)/golangci-lint ## Format the code
	$(BIN)/golangci-lint fmt $(PACKAGES) ./exercises_test/...

PROTOGEN := -module $(MODULE) $(wildcard pkg/protocluster/internal/proto cmd/internal/proto)
PROTOGEN_BENCH := -module $(MODULE)/benchmarks internal/proto

.PHONY: generate
generate: $(BIN)/protogen ## Write the Go of the .proto files
	$(BIN)/protogen $(PROTOGEN)
	cd benchmarks && $(BIN)/protogen $(PROTOGEN_BENCH)

.PHONY: generate-check
generate-check: $(BIN)/protogen ## Fail if make generate would change anything
	$(BIN)/protogen -check $(PROTOGEN)
	cd benchmarks && $(BIN)/protogen -check $(PROTOGEN_BENCH)

.PHONY: fuzz
fuzz: ## Fuzz each target with FUZZTIME inputs
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' pkg | while IFS=: read -r file func; do \
		echo "$$(dirname $$file) $${func#func }"; \
		$(GO) test -vet=off -run='^$$' -fuzz="^$${func#func }$$" -fuzztime=$(FUZZTIME) ./$$(dirname $$file) || exit 1; \
	done

BENCH ?=
ROUNDS ?= 5
PKG ?= ./pkg/...
COUNT ?= 1

.PHONY: bench
bench: $(BIN)/benchmarks ## Measure beside protoactor-go and the machine's limits in ROUNDS, for docs/benchmarks.md (20 min); BENCH selects what is measured anew
	$(BIN)/benchmarks -rounds=$(ROUNDS) -run='$(BENCH)' -write=docs/benchmarks.md

.PHONY: bench-quick
bench-quick: $(BIN)/benchmarks ## Run each workload of benchmarks/ small, to see that nothing is lost (1 min)
	$(GO) test -C benchmarks ./...
	$(BIN)/benchmarks -quick -run='$(BENCH)'

.PHONY: $(BIN)/benchmarks
$(BIN)/benchmarks:
	$(GO) build -C benchmarks -o $@ .

.PHONY: bench-go
bench-go: ## Run the benchmarks of the packages PKG that BENCH names, COUNT times for BENCHTIME, and keep the last two outputs
	@mkdir -p $(BIN); [ ! -f $(BIN)/bench-new.txt ] || mv $(BIN)/bench-new.txt $(BIN)/bench-old.txt
	@$(GO) test -vet=off -run='^$$' -bench='$(or $(BENCH),.)' -benchmem -benchtime=$(BENCHTIME) -count=$(COUNT) $(PKG) >$(BIN)/bench-new.txt; \
		status=$$?; cat $(BIN)/bench-new.txt; exit $$status

.PHONY: bench-compare
bench-compare: ## Compare the outputs of the last two make bench-go; with COUNT=10 each the difference means something
	$(GO) tool -C benchmarks benchstat $(BIN)/bench-old.txt $(BIN)/bench-new.txt

.PHONY: consul
consul: $(BIN)/consul ## Put Consul into .bin, for make demo and make test-integration (built once: 10 min)

.PHONY: tidy
tidy: ## Bring go.mod and go.sum in line with the code
	for dir in . $(dir $(wildcard tools/*/go.mod) slides/go.mod benchmarks/go.mod); do (cd $$dir && $(GO) mod tidy) || exit 1; done

.PHONY: tidy-check
tidy-check: ## Fail if make tidy would change go.mod or go.sum
	$(GO) mod tidy -diff

.PHONY: clean
clean: ## Remove what was built
	rm -rf $(BIN)

# Tools are pinned by the tool lines of a module of their own, so that nobody who
# imports the library downloads them.
$(BIN)/golangci-lint: tools/lint/go.mod tools/lint/go.sum
	$(GO) build -C tools/lint -o $(BIN)/ tool
	@touch $@

$(BIN)/protogen: tools/protogen/go.mod tools/protogen/go.sum tools/protogen/main.go
	$(GO) build -C tools/protogen -o $(BIN)/ . tool
	@touch $@

# Consul is pinned like a tool. Where a build of it for this machine lies ready, as
# CONSUL_XZ, it is unpacked instead, to save the time.
CONSUL_XZ ?= ../shared/tools/consul.xz
CONSUL_SHA256 := cdc629d5f613648396e256072173a7110974e9c10cd40f893644e19fc78a9ca3

$(BIN)/consul: tools/consul/go.mod tools/consul/go.sum
	@mkdir -p $(BIN)
	@if [ -f $(CONSUL_XZ) ] && [ "$$($(GO) env GOOS GOARCH | xargs)" = 'linux amd64' ] && command -v xz >/dev/null; then \
		echo 'unpacking $(CONSUL_XZ)'; xz -dc $(CONSUL_XZ) >$@.new && echo '$(CONSUL_SHA256)  $@.new' | sha256sum -c --status -; \
	else \
		echo 'building Consul, which takes ten minutes, once'; \
		CGO_ENABLED=0 $(GO) build -C tools/consul -trimpath -ldflags='-s -w' -o $@.new github.com/hashicorp/consul; \
	fi || { echo 'no Consul was made'; rm -f $@.new; exit 1; }
	@chmod +x $@.new && mv $@.new $@
