# How everything is built and checked. `make help` lists the targets.

PYTHON ?= python3
# Everything that is made goes there, but for what Cargo makes.
UNDERGO_BUILD ?= build
export UNDERGO_BUILD

VENV := $(UNDERGO_BUILD)/venv
BIN := $(VENV)/bin
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR

# Python programs that are checked besides those of the binding.
EXAMPLES := $(wildcard examples/*/main.py)
PROGRAMS := $(wildcard tools/*.py tools/engines/*.py tools/versions/*.py bench/*.py bindings-c/tests/*.py) $(EXAMPLES)
GENERATED := go-guest-sdk/cmd/undergo-gen/testdata bindings-c/include/undergo.h bindings-go/internal/conformance bindings-go/internal/items $(wildcard examples/*/*_plugin.*)
GO_MODULES := go-guest-sdk bindings-go conformance/guest conformance/hostile conformance/command conformance/network cli/overlay core/tests/guests/network cli/tests/fixtures/program cli/tests/fixtures/flow bench/programs bench/linked tools/component tools/serve/app tools/versions/plugin tools/versions/host $(wildcard examples/*/plugin)

# Checks the workflows of GitHub.
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.DEFAULT_GOAL := help
.PHONY: help demo build cli python node c kotlin install packages guest check test lint lint-fmt lint-rust lint-go lint-python lint-docs lint-gen fmt gen bench soak \
	test-go test-wasi test-wasi-0-3 test-wit-bindgen test-components test-engines test-platforms test-swift test-versions test-go-versions miri fuzz deny clean

help: ## list these verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: export UNDERGO_PROFILE ?= demo
demo: ## build the command line tool and the Python package, and render this README with a Go library
	@$(PYTHON) tools/demo.py

build: cli ## the command line tool at build/bin/undergo, and each host: a Python at build/venv, build/node, build/c, build/kotlin
	@$(PYTHON) tools/hosts.py

cli: ## only the command line tool
	@$(PYTHON) tools/cli.py

python: ## only the Python environment with the package
	@$(PYTHON) tools/hosts.py python

node: ## only the package for Node, in a folder from which import 'undergo' works
	@$(PYTHON) tools/hosts.py node

c: ## only the C library: headers, shared and static, at build/c
	@$(PYTHON) tools/hosts.py c

PREFIX ?= /usr/local
install: c ## copy the C library to PREFIX (/usr/local), where pkg-config and CMake find it
	@$(PYTHON) tools/c_library.py install $(DESTDIR)$(PREFIX)

packages: export UNDERGO_PROFILE ?= dist
packages: cli ## what is published, at build/packages: the tool, the wheel, the npm tarballs, the C archive, the jars, the gem, the Go modules
	@$(PYTHON) tools/packages.py

guest: cli ## the guests of the tests: build/conformance.wasm, build/hostile.wasm and build/command.wasm
	@$(PYTHON) tools/guest.py

check: lint-rust ## the quick part of lint and test, for each change: formats, Clippy, unit tests, the generator
	cargo --config tools/tests.toml --config profile.release.package.undergo.opt-level=0 test --release --package undergo --package gowasm --lib --test levels
	@$(PYTHON) tools/test.py go

test: ## run all suites, and end with one line: N passed, N failed (SUITES="go docs" runs some)
	@$(PYTHON) tools/test.py $(SUITES)

lint: lint-rust lint-go lint-python lint-docs lint-gen deny ## formats, compilers' warnings, types, spelling, Markdown, links, generated files, dependencies

lint-rust: lint-fmt
	@$(PYTHON) tools/statics.py
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --package undergo --package undergo-derive --package undergo-features --no-deps --all-features --locked

lint-fmt:
	cargo fmt --all --check

lint-go:
	@$(PYTHON) tools/check_go.py $(GO_MODULES)

lint-python: python
	$(BIN)/ruff check bindings-python $(PROGRAMS)
	$(BIN)/ruff format --check bindings-python $(PROGRAMS)
	cd bindings-python && $(abspath $(BIN))/mypy
	$(BIN)/mypy --config-file tools/mypy.ini tools
	@for program in $(EXAMPLES); do echo "mypy $$program" && $(BIN)/mypy --config-file tools/mypy.ini $$program || exit 1; done

lint-docs:
	@$(PYTHON) tools/environment.py
	@$(PYTHON) tools/links.py
	@$(PYTHON) tools/prose.py
	$(BIN)/typos
	$(BIN)/pymarkdown scan $$(git ls-files '*.md' ':!bench/results.md')
	"$$($(PYTHON) tools/go.py)" run $(ACTIONLINT) -shellcheck= -pyflakes=

lint-gen: gen
	@git --no-pager diff -- $(GENERATED)
	@test -z "$$(git status --porcelain -- $(GENERATED))" || \
		{ echo "generated files are not up to date: run 'make gen' and commit what it changes" >&2; exit 1; }

fmt: python ## format Rust, Go and Python
	cargo fmt --all
	@$(PYTHON) tools/check_go.py --fix $(GO_MODULES)
	$(BIN)/ruff check --fix-only bindings-python $(PROGRAMS)
	$(BIN)/ruff format bindings-python $(PROGRAMS)

gen: cli ## write the generated files that are committed
	@$(PYTHON) tools/gen.py

bench: build ## compare with native Go and wasmtime-py, measure pools, asyncio and deadlines, and write bench/results.md
	@$(PYTHON) tools/bench.py

soak: build guest ## misdeeds at random next to well-behaved calls, and handles at random in Python, Node and Go, for SECONDS (60) each; the seed is printed; writes bench/results.md
	@$(BIN)/python tools/soak.py --write --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))
	@$(BIN)/python tools/soak_hosts.py --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

test-go-versions: build ## build and call the conformance guest with Go 1.24, 1.25, 1.26 and 1.27
	@$(PYTHON) tools/go_versions.py

test-wasi: cli ## run the public wasi-testsuite's cases of preview 1: DIR is a checkout of its branch prod/testsuite-base; COMPONENT=1 makes components of them
	@$(PYTHON) tools/wasi_suite.py $(if $(COMPONENT),--component) $(or $(DIR),$(error DIR is to be a checkout of wasi-testsuite, branch prod/testsuite-base))

test-wasi-0-3: ## build the command with the feature wasi-0-3, and run the tests of components of WASI 0.3; DIR=... adds the public wasi-testsuite's cases of it, as for test-wasi
	@$(PYTHON) tools/wasi_0_3.py $(DIR)

test-wit-bindgen: cli python ## run the runtime tests of wit-bindgen in Rust and C, by linked instances: DIR is a checkout of it; TESTS="strings lists" runs some
	@$(BIN)/python tools/wit_bindgen_suite.py $(or $(DIR),$(error DIR is to be a checkout of wit-bindgen)) $(TESTS)

test-go: cli ## run the tests of Go's own standard library under undergo exec; ALL=1 for every package, PACKAGES="os time" for some, NET=1 for the network's
	@$(PYTHON) tools/$(if $(NET),go_net.py,go_std.py) $(if $(ALL),all,$(PACKAGES))

test-components: python ## run components of Python, JavaScript, Rust and C, and ours in the Wasmtime CLI; what they need is installed, where it can be
	@$(BIN)/python -m pytest -v -rs -p no:cacheprovider tools/test_foreign.py

test-engines: cli ## send a plugin's functions to processes of joblib, Dask, Ray and Spark, and kill workers; LINES=1000000 for more lines
	@$(PYTHON) tools/engines.py $(LINES)

test-platforms: packages guest ## load the packages on older systems than this one, build them for other platforms, run what runs here, and print a table (TARGETS=x86_64-unknown-linux-musl tries some)
	@$(BIN)/python -m pytest -q tools/test_platforms.py
	@UNDERGO_PROFILE=dev $(PYTHON) tools/platforms.py $(TARGETS)

test-swift: python guest ## build the package and the examples of Swift, and run them; Swift comes from PATH, or else from Debian (450 MB, in the build folder)
	@$(BIN)/python -m pytest -rs -p no:cacheprovider tools/test_swift_runs.py

test-versions: cli ## try the packages with each version of Node, Bun, Deno, Python, Java, Go and Ruby, and print a table (RUNTIMES="node deno" tries some)
	@$(PYTHON) tools/versions.py $(RUNTIMES)

miri: ## run the tests of the core's pure parts under Miri; needs a nightly Rust
	@$(PYTHON) tools/checks.py miri

fuzz: ## fuzz values, interfaces, modules, Go's code and addresses, each for SECONDS (60)
	@$(PYTHON) tools/checks.py fuzz $(or $(SECONDS),60)

deny: ## check licences, bans and sources of all dependencies, and advisories where they can be reached
	@$(PYTHON) tools/checks.py deny

clean: ## remove what was built, but for the toolchains and packages that were installed
	cargo clean
	rm -rf $(UNDERGO_BUILD)/bin $(UNDERGO_BUILD)/cache $(UNDERGO_BUILD)/stamps $(UNDERGO_BUILD)/test $(UNDERGO_BUILD)/wheels
	rm -rf $(UNDERGO_BUILD)/examples $(UNDERGO_BUILD)/go-versions $(UNDERGO_BUILD)/*.wasm
