# Gatewright's daily commands. Each sets itself up.

CARGO ?= cargo
HOME_DIR ?= gatewright-home

.DEFAULT_GOAL := help
.PHONY: help run test check check-deploy build chaos bench-main-job bench-propagation bench-search bench-throttle bench-decision bench-ledger bench-throttle-cost bench-gateway
.PHONY: cluster cluster-demo cluster-status cluster-stop

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: setup ## Build and start every role in one process, with a demo back end, under ./gatewright-home
	$(CARGO) build --locked
	"$${CARGO_TARGET_DIR:-target}/debug/gatewright" --profile all-in-one --home "$(HOME_DIR)" --demo $(ARGS)

cluster: setup ## Build and start eight nodes behind HAProxy with PostgreSQL in the background, under ./gatewright-cluster
	$(CARGO) build --locked
	conf/cluster/start.sh "$${CARGO_TARGET_DIR:-target}/debug/gatewright"

cluster-demo: ## Do the main job through the cluster's load balancer, and look at the answers
	conf/cluster/demo.sh

cluster-status: ## Show the cluster's nodes with ports, health and applied positions
	conf/cluster/status.sh

cluster-stop: ## Stop the cluster; what it holds stays under ./gatewright-cluster
	conf/cluster/stop.sh

test: setup ## Run all tests, on SQLite and on a throw-away PostgreSQL, with definitions and clients from elsewhere
	@# What cannot be fetched is told here, and fails the tests that need it, not the others.
	-@tests/support/fetch-definitions.sh target/definitions
	-@tests/support/prepare-clients.sh target/clients
	-@tests/support/prepare-fault-tools.sh
	GATEWRIGHT_TEST_DEFINITIONS="$(CURDIR)/target/definitions" GATEWRIGHT_TEST_CLIENTS="$(CURDIR)/target/clients" \
		tests/support/with-postgres.sh $(CARGO) test --locked --workspace --no-fail-fast $(ARGS)

check: setup ## Formatting, lints and the rules of the tree, without running the product
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) test --locked --test tidy

check-deploy: setup ## Let systemd, HAProxy, nginx and compose check what conf/ shows to operators
	$(CARGO) build --locked
	conf/check.sh "$${CARGO_TARGET_DIR:-target}/debug/gatewright"

build: setup ## Build the release binary target/release/gatewright
	$(CARGO) build --locked --release

bench-main-job: setup ## Measure start, memory, deployment and revocation on a release build (a table, and JSON in target/)
	$(CARGO) bench --locked --bench main_job

bench-throttle: setup setup-postgres ## Measure what 1 to 10 gateways admit of limits up to a million per minute (half an hour; a table, and JSON in target/)
	$(CARGO) bench --locked --bench throttle -- $(ARGS)

bench-decision: setup ## Measure the throttling decision of a warm call and the memory of idle keys (criterion, and a table)
	$(CARGO) bench --locked --bench decision -- $(ARGS)

bench-ledger: setup setup-postgres ## Measure what 100,000 active throttle keys write to PostgreSQL (a table, and JSON in target/)
	$(CARGO) bench --locked --bench ledger

bench-throttle-cost: setup setup-postgres ## Measure a gateway's CPU per call with limits on every level against none (a table, and JSON in target/)
	$(CARGO) bench --locked --bench throttle_cost

bench-gateway: setup setup-postgres ## Measure a gateway's CPU per call beside nginx, HAProxy and Envoy (a table, and JSON in target/)
	tests/support/prepare-proxies.sh target/proxies
	$(CARGO) bench --locked --bench gateway

bench-propagation: setup setup-postgres ## Measure deployments and revocations over ten gateway processes on a release build (a table, and JSON in target/)
	$(CARGO) bench --locked --bench propagation

chaos: setup setup-postgres setup-fault-tools ## Faults of a fleet of processes, as many and as long as promised (see tests/RESULTS.md)
	GATEWRIGHT_CHAOS=1 tests/support/with-postgres.sh $(CARGO) test --locked --test it -- faults:: --nocapture --test-threads 1

bench-search: setup ## Measure lists and searches among 10,000 APIs on a release build (a table, and JSON in target/)
	$(CARGO) bench --locked --bench search

# The server itself, for measurements and faults that start one of their own.
.PHONY: setup-postgres
setup-postgres:
	@tests/support/with-postgres.sh true

# The load balancer of the rolling restart, and the clock that jumps.
.PHONY: setup-fault-tools
setup-fault-tools:
	@tests/support/prepare-fault-tools.sh

# What the build takes from the machine: a C compiler, and OpenSSL for TLS to PostgreSQL.
.PHONY: setup
setup:
	@command -v $(CARGO) >/dev/null || { echo "cargo is missing: install Rust, see https://rust-lang.org" >&2; exit 1; }
	@if ! { command -v cc && command -v pkg-config && pkg-config --exists openssl; } >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy build-essential pkg-config libssl-dev; \
		else \
			echo "a C compiler, pkg-config or OpenSSL's headers are missing" >&2; \
			echo "(on Debian: sudo apt-get install build-essential pkg-config libssl-dev)" >&2; exit 1; \
		fi; \
	fi
