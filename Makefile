# `make` lists the targets. None of them needs root, or changes anything outside
# this folder but Go's own caches.

GO ?= go
BIN := $(CURDIR)/.bin
MODULE := github.com/protocluster/workshop
PACKAGES := $(patsubst %,./%/...,$(wildcard pkg cmd tools))

# The race detector needs a C compiler; go says 0 where there is none.
RACE := $(if $(filter 1,$(shell $(GO) env CGO_ENABLED)),-race)
DEMO ?= # flags of cmd/demo
FUZZTIME ?= 10s
BENCHTIME ?= 1s

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Start three members, kill one and watch its actors come back (10 s)
	@$(GO) build -o $(BIN)/ ./cmd/member ./cmd/demo
	@$(BIN)/demo -member $(BIN)/member

.PHONY: test
test: ## Test everything that needs nothing but Go (2 min)
	@$(if $(RACE),,echo 'no C compiler: testing without the race detector')
	$(GO) test $(RACE) -shuffle=on -timeout=5m $(PACKAGES)

.PHONY: test-repeat
test-repeat: ## Test the library twenty times over, to find what depends on luck
	$(GO) test -count=20 -short -shuffle=on -timeout=20m ./pkg/...

.PHONY: check
check: ## Do what CI does
	@.ci/run

.PHONY: vet
vet: ## Run go vet
	$(GO) vet $(PACKAGES)
	$(GO) vet -C tools/protogen ./...

.PHONY: lint
lint: $(BIN)/golangci-lint ## Run the linters of .golangci.yml (the first time it builds them: 2 min)
	$(BIN)/golangci-lint run $(PACKAGES)
	cd tools/protogen && $(BIN)/golangci-lint run

.PHONY: fmt
fmt: $(BIN)/golangci-lint ## Format the code
	$(BIN)/golangci-lint fmt $(PACKAGES)

PROTOGEN := -module $(MODULE) $(wildcard pkg/protocluster/internal/proto cmd/internal/proto)

.PHONY: generate
generate: $(BIN)/protogen ## Write the Go of the .proto files
	$(BIN)/protogen $(PROTOGEN)

.PHONY: generate-check
generate-check: $(BIN)/protogen ## Fail if make generate would change anything
	$(BIN)/protogen -check $(PROTOGEN)

.PHONY: fuzz
fuzz: ## Fuzz each target for FUZZTIME
	@grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' pkg | while IFS=: read -r file func; do \
		echo "$$(dirname $$file) $${func#func }"; \
		$(GO) test -run='^$$' -fuzz="^$${func#func }$$" -fuzztime=$(FUZZTIME) ./$$(dirname $$file) || exit 1; \
	done

.PHONY: bench
bench: ## Run the benchmarks, each for BENCHTIME
	$(GO) test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) ./pkg/...

.PHONY: tidy
tidy: ## Bring go.mod and go.sum in line with the code
	for dir in . $(dir $(wildcard tools/*/go.mod)); do (cd $$dir && $(GO) mod tidy) || exit 1; done

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
