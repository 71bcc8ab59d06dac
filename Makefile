# Everything runs from .venv and build/, which make fills itself: `make help` lists what there is.

PYTHON ?= python3
BIN := .venv/bin
COLLECTIONS := .venv/collections
# The number of processes for what can be done side by side.
JOBS ?= 2

# Ansible wants a UTF-8 locale, whatever the caller's is.
export LC_ALL := C.UTF-8

# For programs that start others of .venv by name.
TOOLS_FIRST = PATH="$(CURDIR)/$(BIN):$$PATH"
PIP_INSTALL = -m pip install -qq --disable-pip-version-check --no-input
side_by_side = $(MAKE) --no-print-directory -j$(JOBS) $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ For everybody
.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' Makefile

.PHONY: demo
demo: .venv/run build/stacks/current/ready ## deploy the sample project's tenants to a PostgreSQL in .demo/
	@$(BIN)/python demo/demo.py

.PHONY: demo-stop
demo-stop: ## stop the demo's PostgreSQL; its data stay
	@if [ -d .demo/postgres ] && [ -x $(BIN)/python ]; then $(BIN)/python tests/support/postgres.py stop --durable --directory .demo/postgres; fi

.PHONY: demo-remove
demo-remove: ## stop the demo's PostgreSQL and delete .demo/
	@if [ -d .demo/postgres ] && [ -x $(BIN)/python ]; then $(BIN)/python tests/support/postgres.py remove --durable --directory .demo/postgres; fi
	rm -rf .demo

##@ For those who work on the collection
.PHONY: setup
setup: ## make .venv and build/stacks with everything that the other targets need
	@$(side_by_side) --silent .venv/development build/stacks/current/ready build/stacks/oldest/ready build/stacks/packages/ready

.PHONY: test
test: setup ## lint, sanity, and every test with pytest, whose closing line is the last
	@$(side_by_side) --keep-going lint sanity
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.PHONY: units
units: setup ## the unit tests
	$(BIN)/python -m pytest -n $(JOBS) tests/unit

.PHONY: integration
integration: setup ## the tests with real databases, projects and playbooks
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal tests/integration

.PHONY: differential
differential: setup ## thousands of random releases, held against the stock command (DIFFERENTIAL_SECONDS, _CASES, _SEED; FOLDING_CASES)
	DIFFERENTIAL_SECONDS=$${DIFFERENTIAL_SECONDS:-14400} DIFFERENTIAL_CASES=$${DIFFERENTIAL_CASES:-5000} \
	DIFFERENTIAL_SEED=$${DIFFERENTIAL_SEED:-$$(date +%s)} FOLDING_CASES=$${FOLDING_CASES:-5000} $(BIN)/python -m pytest -s tests/differential

.PHONY: molecule
molecule: setup ## every molecule scenario
	$(TOOLS_FIRST) $(BIN)/molecule test --all

LINTERS := lint-ruff lint-mypy lint-syntax lint-ansible lint-docs lint-changelog
.PHONY: lint $(LINTERS)
lint: $(LINTERS) ## every linter (each has a target of its own: lint-ruff …)

lint-ruff: .venv/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint-mypy: .venv/development
	$(BIN)/mypy

# Modules run on the managed nodes' Python, the agent under the project's: both may be older than ours.
lint-syntax: .venv/development
	$(BIN)/vermin --no-tips --violations --target=3.8- --no-parse-comments plugins

lint-ansible: .venv/development
	$(TOOLS_FIRST) $(BIN)/ansible-lint --nocolor

lint-docs: .venv/development
	$(TOOLS_FIRST) ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/$(COLLECTIONS) $(BIN)/antsibull-docs lint-collection-docs --plugin-docs $(COLLECTIONS)/ansible_collections/meatscentral/tenancy

lint-changelog: .venv/development
	$(TOOLS_FIRST) $(BIN)/antsibull-changelog lint

# Nothing is asked of other sites: references to Ansible's own documentation stay plain text.
.PHONY: docs
docs: .venv/development ## the guides and the reference as HTML, in build/docs/html
	@rm -rf build/docs && mkdir -p build/docs/rst && chmod 755 build/docs/rst
	$(TOOLS_FIRST) ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/$(COLLECTIONS) $(BIN)/antsibull-docs collection --use-current --squash-hierarchy --fail-on-error --dest-dir build/docs/rst meatscentral.tenancy
	cp docs/images/bench.svg build/docs/rst/docsite/
	$(BIN)/sphinx-build -C -q -W --keep-going -D project=meatscentral.tenancy -D extensions=sphinx_antsibull_ext -D suppress_warnings=ref.ref build/docs/rst build/docs/html
	@echo "Look at it: build/docs/html/index.html"

.PHONY: sanity
sanity: .venv/development ## ansible-test sanity, every test that runs here
	$(BIN)/python tests/sanity/run.py

# What there is of the same scale and code is kept: a run that was cut short goes on.
.PHONY: bench
bench: .venv/development build/stacks/bench/ready ## measure what makes it fast, into build/bench.json; SCALE=0.1 KEYS="noop_vs_stock …" ROUNDS=1 DATA=DIR AGAIN=1
	$(BIN)/python -m tests.benchmarks $(if $(KEYS),--keys $(KEYS)) $(if $(SCALE),--scale $(SCALE)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(PATIENCE),--patience $(PATIENCE)) $(if $(DATA),--data $(DATA)) $(if $(AGAIN),--again)

# These build on it.
build/stacks/bench/ready build/stacks/packages/ready: tests/stacks/current.txt

.PHONY: clean
clean: demo-remove ## delete everything that make made, the demo's database too
	rm -rf .venv build tests/output .ansible .ruff_cache .mypy_cache .pytest_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# What is made once, and again when its requirements change.
.venv/run: requirements/run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] + ": name another, for example `make PYTHON=python3.12`")'
	@echo "Installing Ansible and PostgreSQL into .venv …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python $(PIP_INSTALL) -r requirements/run.txt
	@mkdir -p $(COLLECTIONS)/ansible_collections/meatscentral
	@ln -sfn ../../../.. $(COLLECTIONS)/ansible_collections/meatscentral/tenancy
	@touch $@

.venv/development: .venv/run requirements/development.txt tests/stacks/current.txt
	@echo "Installing the tools for development into .venv …"
	@$(BIN)/python $(PIP_INSTALL) -r requirements/development.txt
	@touch $@

build/stacks/%/ready: tests/stacks/%.txt
	@echo "Installing a Django stack into build/stacks/$* …"
	@$(PYTHON) -m venv build/stacks/$*
	@build/stacks/$*/bin/python $(PIP_INSTALL) -r tests/stacks/$*.txt
	@touch $@
