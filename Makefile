# Everything a checkout needs. Each target sets up what it uses; progress goes to stderr.
.DEFAULT_GOAL := help
.PHONY: help demo test test-torch test-frameworks check audit fuzz bench reproduce docs wheel clean

PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .uv/bin/uv
RUN_DEMO := .venv-demo/bin/lecmux
PYTEST := .venv-test/bin/python -m pytest
LINT := .venv-lint/bin
ARGS ?=
SECONDS_EACH ?= 60
FRAMEWORKS := .venv-frameworks
RESOLUTION ?= lowest-direct
# uv keeps a wheel by its name, which a change of the code does not change.
FROM_DIST := --no-sources --find-links dist --refresh-package lecmux --refresh-package langchain-lecmux \
  --refresh-package llama-index-llms-lecmux

export UV_PYTHON_DOWNLOADS := never
# Last on the path: `lecmux models pull` reaches the package index with uv where an environment has no pip.
export PATH := $(PATH):$(CURDIR)/.uv/bin
export UV_LINK_MODE ?= copy
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: .venv-demo/.ready ## 1,000 real questions through a cache and two real local models (ARGS="--requests 100")
	@$(RUN_DEMO) models pull small large >&2
	@$(RUN_DEMO) demo $(ARGS)

test: .venv-test/.ready wheel ## Rust and Python tests, the latter against the installed wheel
	cargo test --quiet --locked --workspace --exclude lecmux-bindings
	cargo test --quiet --locked -p lecmux-core --features shuttle --test schedules
	.venv-test/bin/lecmux models pull small large
	$(PYTEST) $(ARGS)

# One thread: the models are tiny, and torch's threads wait for each other in a loop.
test-torch: .venv-torch/.ready ## tests of models through torch (downloads 2.7 GB once; UV_TORCH_BACKEND=cpu: 0.3 GB)
	.venv-torch/bin/lecmux models pull small
	OMP_NUM_THREADS=1 .venv-torch/bin/python -m pytest -m torch $(ARGS)

# The versions of the frameworks are chosen by what the distributions declare, not by the lock file.
test-frameworks: wheel ## integration tests at the RESOLUTION=lowest-direct or highest versions of the frameworks
	$(UV) venv --quiet --clear --python $(PYTHON) $(FRAMEWORKS)
	$(UV) pip install --quiet --python $(FRAMEWORKS) $(FROM_DIST) --resolution $(RESOLUTION) \
	  -r integrations/langchain/pyproject.toml --extra agents -r integrations/llama-index/pyproject.toml
	@$(UV) pip freeze --quiet --python $(FRAMEWORKS) > $(FRAMEWORKS)/all.txt
	@grep -E '^(langchain|langchain-core|llama-index-core|uuid-utils)==' $(FRAMEWORKS)/all.txt | tee $(FRAMEWORKS)/pins.txt
	$(UV) pip install --quiet --python $(FRAMEWORKS) $(FROM_DIST) -c $(FRAMEWORKS)/pins.txt \
	  'lecmux[langchain,llama-index,openai]' langchain-tests $(if $(filter highest,$(RESOLUTION)),langchain-openai) --group test-tools
	$(FRAMEWORKS)/bin/python -m pytest integrations $(ARGS)

check: .venv-lint/.ready ## formatting, lints, types, licences and sources of crates
	cargo fmt --all --check
	cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
	$(LINT)/ruff format --check .
	$(LINT)/ruff check .
	$(LINT)/mypy
	$(LINT)/mypy tests/typing/api.py
	$(LINT)/mypy integrations/langchain/langchain_lecmux
	MYPYPATH=python:integrations/llama-index $(LINT)/mypy --explicit-package-bases -p llama_index.llms.lecmux
	@if command -v cargo-deny >/dev/null; then cargo fetch --quiet --locked && cargo deny --locked --offline check bans licenses sources; \
	  else echo "SKIPPED: licences and sources of crates (cargo install --locked cargo-deny)" >&2; fi

audit: $(UV) ## known vulnerabilities of what is locked, Rust and Python (asks their databases: needs the network)
	cargo deny --locked check advisories
	$(UV) audit --quiet --locked

fuzz: ## each fuzz target for SECONDS_EACH=60 (needs cargo-fuzz)
	cd rust && for target in $$(ls fuzz/fuzz_targets | sed 's/\.rs$$//'); do \
	  RUSTC_BOOTSTRAP=1 cargo fuzz run --fuzz-dir fuzz $$target -- -max_total_time=$(SECONDS_EACH) || exit 1; done

bench: .venv-bench/.ready ## speed, memory and savings beside other caches, in one run
	.venv-bench/bin/python benches/run.py $(ARGS)

reproduce: .venv-test/.ready ## the paper's experiments and those it leaves open, into docs/reproduce.md
	.venv-test/bin/lecmux reproduce --out docs/_build/reproduce $(ARGS)
	.venv-test/bin/python docs/reproduce_page.py docs/_build/reproduce

docs: .venv-docs/.ready ## the documentation as HTML, warnings are errors
	.venv-docs/bin/sphinx-build -q -W -b html docs docs/_build

wheel: $(UV) ## wheels of all distributions in dist/
	@rm -rf dist
	$(UV) build --quiet --wheel --package lecmux --out-dir dist
	$(UV) build --quiet --wheel --package langchain-lecmux --out-dir dist
	$(UV) build --quiet --wheel --package llama-index-llms-lecmux --out-dir dist

clean: ## remove what the targets made (not the models)
	rm -rf .uv .venv-* dist target docs/_build

# uv comes from the package index into an environment of its own and sets up the others from the lock file.
$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@$(PYTHON) -m venv .uv >&2
	@.uv/bin/python -m pip install --quiet uv==$(UV_VERSION) >&2

SOURCES := pyproject.toml uv.lock Cargo.toml Cargo.lock $(shell git ls-files 'rust/*/src' 'rust/*/Cargo.toml' python integrations/*/*.toml 'integrations/*/*_lecmux' integrations/llama-index/llama_index 2>/dev/null)
SYNC = @UV_PROJECT_ENVIRONMENT=$(@D) $(UV) sync --quiet --locked --no-editable --no-dev --python $(PYTHON)

# Wheels are built and installed: no target runs the source tree.
.venv-demo/.ready: $(UV) $(SOURCES)
	@echo "setting up (compiles the Rust core once, about a minute)" >&2
	$(SYNC) --extra demo >&2
	@touch $@

.venv-test/.ready: $(UV) $(SOURCES)
	$(SYNC) --extra all --group test
	@touch $@

# The lock file knows torch's CUDA build alone, so torch is installed apart, at the locked version: a build for
# CPUs comes from UV_TORCH_BACKEND=cpu, or from a wheel that lies in PIP_FIND_LINKS. Hard links spare a second
# copy of what is then 6 GB.
TORCH_WHEEL = $(lastword $(sort $(wildcard $(PIP_FIND_LINKS:%=%/torch-2*-$(shell \
  $(PYTHON) -c 'import sys; print("cp%d%d" % sys.version_info[:2])')-*.whl))))
.venv-torch/.ready: export UV_LINK_MODE = hardlink
.venv-torch/.ready: $(UV) $(SOURCES)
	$(SYNC) --inexact --extra langchain --extra llama-index --extra cli --group test
	@$(UV) export --quiet --locked --extra transformers --no-hashes --no-emit-workspace --no-annotate \
	  $(if $(TORCH_WHEEL),--no-emit-package torch) > $(@D)/pins.txt
	@$(UV) pip install --quiet --python $(@D)/bin/python -c $(@D)/pins.txt $(or $(TORCH_WHEEL),torch) \
	  accelerate gguf transformers
	@touch $@

.venv-lint/.ready: $(UV) $(SOURCES)
	$(SYNC) --extra all --group test --group lint
	@touch $@

.venv-bench/.ready: $(UV) $(SOURCES)
	$(SYNC) --extra langchain --extra llama-index --extra sim --group test --group bench
	@touch $@

.venv-docs/.ready: $(UV) pyproject.toml uv.lock
	@UV_PROJECT_ENVIRONMENT=$(@D) $(UV) sync --quiet --locked --only-group docs --python $(PYTHON)
	@touch $@
